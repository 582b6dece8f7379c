"""Damage drawn in tensor batches: everything that happens to a picture between its original and the copy one finds.

One view costs about a millisecond on one core. All geometry (crop, rotation, mirror, aspect, padding, the place in a
screenshot) is one affine grid sample at WORK x WORK pixels; then painting (covers, text, the window of a screenshot),
light and colour, and what coding and scaling do (noise, blur, resizing, JPEG as a quantised 8x8 DCT), each applied to
the pictures of the batch that drew it; at last an antialiased resize to SIZE x SIZE.

Strengths are in units of a full-size picture (`short` pixels on its short side, drawn per picture) and are converted
to the working size, because a copy is damaged at full size and squashed afterwards.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from model import SIZE

WORK = 160      # side of the square all damage is done at, pixels
FONTS = ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
         "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf", "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"

# name: (weight of being drawn)
# Frames, mirror images and quarter turns have small shares: a query is also asked as the picture found inside its
# frame, mirrored and turned (core/images/queryViews.ts).
GEOMETRY = {"crop": 5.5, "rotate": 1.8, "rotate90": 0.6, "mirror": 0.8, "pad": 0.9, "screenshot": 1.2}
SURFACE = {"cover": 1.7, "text": 0.7, "noise": 1.0, "blur": 0.9, "resize": 0.5, "jpeg": 0.8, "grey": 1.3, "linear": 1.3,
           "channels": 0.9, "gamma": 0.3, "posterise": 0.3, "vignette": 0.2, "saturation": 0.2}
ALL = {**GEOMETRY, **SURFACE}


def font(rng, size):
    for path in rng.permutation(FONTS):
        try:
            return ImageFont.truetype(str(path), max(6, int(size)))
        except OSError:
            continue
    return ImageFont.load_default()


def words(rng, n):
    out = ["".join(rng.choice(list(LETTERS), rng.integers(2, 10))) for _ in range(n)]
    s = " ".join(out)
    return s.upper() if rng.random() < 0.3 else s.capitalize()


def text_sprite(rng):
    """RGBA [4,WORK,WORK] uint8: one to five lines of text, sometimes on bars, squashed from a random aspect."""
    w, h = (int(v) for v in rng.uniform(220, 420, 2))
    im = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    d = ImageDraw.Draw(im)
    lines, size = rng.integers(1, 6), rng.uniform(0.04, 0.17) * h
    ink = tuple(int(v) for v in (rng.choice([0, 255]) * np.ones(3) if rng.random() < 0.65 else rng.integers(0, 256, 3)))
    other = tuple(255 - v for v in ink)
    bar, outline = rng.random() < 0.35, rng.random() < 0.5
    f, y = font(rng, size), rng.uniform(0, max(1, h - lines * size * 1.2))
    scatter = rng.random() < 0.5
    for _ in range(lines):
        if scatter:
            y = rng.uniform(0, h - size)
        x = rng.uniform(-0.05, 0.3) * w
        if bar:
            d.rectangle((0, y, w, y + size * 1.25), fill=other + (int(rng.uniform(150, 256)),))
        d.text((x, y), words(rng, int(rng.integers(1, 7))), font=f, fill=ink + (int(rng.uniform(170, 256)),),
               stroke_width=int(outline and size > 14) * max(1, int(size / 14)), stroke_fill=other + (255,))
        y += size * rng.uniform(1.1, 1.6)
    return np.asarray(im.resize((WORK, WORK), Image.LANCZOS)).transpose(2, 0, 1)


def window_sprite(rng):
    """RGB [3,WORK,WORK] uint8: a window with a title bar, a side bar and lines of text, light or dark."""
    w, h = int(rng.uniform(320, 640)), int(rng.uniform(240, 560))
    light = rng.random() < 0.7
    base = int(rng.uniform(228, 256) if light else rng.uniform(16, 60))
    shade = lambda k: tuple(int(np.clip(base + (-k if light else k) + v, 0, 255)) for v in rng.integers(-4, 5, 3))
    im = Image.new("RGB", (w, h), shade(0))
    d = ImageDraw.Draw(im)
    bar, side = rng.uniform(0.04, 0.13) * h, rng.uniform(0, 0.22) * w
    accent = tuple(int(v) for v in rng.integers(0, 256, 3))
    right = rng.random() < 0.2
    if rng.random() < 0.9:
        d.rectangle((w - side, 0, w, h) if right else (0, 0, side, h), fill=shade(rng.uniform(0, 40)))
    d.rectangle((0, 0, w, bar), fill=accent if rng.random() < 0.2 else shade(rng.uniform(5, 60)))
    for i in range(rng.integers(0, 4)):
        r, cx = bar * 0.22, bar * (0.6 + 0.8 * i)
        d.ellipse((cx - r, bar / 2 - r, cx + r, bar / 2 + r), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    ink = shade(rng.uniform(90, 220))
    if rng.random() < 0.85:
        d.text((w * rng.uniform(0.1, 0.5), bar * 0.2), words(rng, 3), font=font(rng, bar * 0.55), fill=ink)
    size = rng.uniform(0.018, 0.04) * h
    f, real = font(rng, size), rng.random() < 0.5
    for x0, x1 in ((w - side, w) if right else (0, side), (0, w - side) if right else (side, w)):
        if rng.random() < 0.1 or x1 - x0 < 10:
            continue
        y, step = bar + size, size * rng.uniform(1.4, 2.6)
        while y < h - size:
            if rng.random() < 0.9:
                end = x0 + (x1 - x0) * rng.uniform(0.3, 0.97)
                if real:
                    d.text((x0 + 5, y), words(rng, max(1, int((end - x0) / size / 3))), font=f, fill=ink)
                else:
                    d.rectangle((x0 + 5, y, max(x0 + 6, end), y + size * 0.6), fill=ink)
            y += step
    return np.asarray(im.resize((WORK, WORK), Image.LANCZOS)).transpose(2, 0, 1)


def dct_basis():
    """[64,1,8,8]: the orthonormal 8x8 DCT-II as filters."""
    k = torch.arange(8.0)
    d = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * math.sqrt(2 / 8)
    d[0] /= math.sqrt(2)
    return torch.einsum("ux,vy->uvxy", d, d).reshape(64, 1, 8, 8).contiguous()


# Annex K of the JPEG standard (ITU-T T.81)
LUMA = [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
        51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
        120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
CHROMA = [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99,
          99, 99, 99, 99, 99] + [99] * 32
YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
RGB = torch.inverse(YCC)


def mix(x, matrix):
    """[m,3,H,W] and [3,3] -> [m,3,H,W]: a colour matrix (a 1x1 convolution of three channels is slower)."""
    return torch.stack([x[:, 0] * float(r[0]) + x[:, 1] * float(r[1]) + x[:, 2] * float(r[2]) for r in matrix], 1)


class Damage:
    def __init__(self, seed=1, sprites=320):
        self.rng = np.random.default_rng(seed)
        made = np.random.default_rng(seed + 1)
        self.texts = torch.from_numpy(np.stack([text_sprite(made) for _ in range(sprites)]))
        self.windows = torch.from_numpy(np.stack([window_sprite(made) for _ in range(sprites)]))
        self.gaussian = torch.Generator().manual_seed(seed)
        self.basis = dct_basis()
        self.tables = torch.tensor([LUMA, CHROMA], dtype=torch.float32)
        t = (torch.arange(WORK) + 0.5) / WORK * 2 - 1
        self.x, self.y = t[None, None, :], t[None, :, None]

    def state(self):
        return {"rng": self.rng.bit_generator.state, "noise": self.gaussian.get_state()}

    def load_state(self, state):
        self.rng.bit_generator.state = state["rng"]
        self.gaussian.set_state(state["noise"])

    # --- drawing of what happens to whom ---

    def plan(self, n, counts):
        """-> dict name -> bool [n]. counts: probabilities of 0, 1, 2, ... kinds of damage on one picture."""
        names = list(ALL)
        logw = np.log(np.array([ALL[k] for k in names]))
        k = self.rng.choice(len(counts), n, p=counts)
        order = np.argsort(-(logw + self.rng.gumbel(size=(n, len(names)))), axis=1)     # weighted, without replacement
        hit = np.zeros((n, len(names)), bool)
        for i in range(len(counts) - 1):
            rows = np.flatnonzero(k > i)
            hit[rows, order[rows, i]] = True
        return {name: hit[:, j] for j, name in enumerate(names)}

    def u(self, low, high, n):
        return self.rng.uniform(low, high, n).astype(np.float32)

    def colours(self, n):
        """[n,3] 0..1: black, white, mid-grey or anything."""
        c = self.u(0, 1, (n, 3))
        kind = self.rng.random(n)
        for low, high, v in ((0, 0.22, 0.0), (0.22, 0.44, 1.0), (0.44, 0.62, 0.502)):
            c[(kind >= low) & (kind < high)] = v
        return c

    def views(self, big, small, aspect, window, counts, strength=1.0):
        """Damaged views.

        big [B,3,S,S] and small [B,3,S/2,S/2] 0..1: the stored pictures and their half-size mip; aspect [B]: width /
        height; window [B,4]: centre x, centre y, half width, half height of what counts as the original, in -1..1;
        strength 0..1 shrinks every range (a warm-up). -> images [B,3,112,112] 0..1, upright [B] bool: whether the
        damage left enough (no mirror, little rotation, half the area) for the clean picture to be told.
        """
        n, s = len(aspect), strength
        hit = self.plan(n, counts)
        a = aspect * window[:, 2] / window[:, 3]
        one = np.ones(n, np.float32)
        small_area = 1 - 0.73 * s
        area = np.where(hit["crop"], small_area + (0.95 - small_area) * self.u(0, 1, n) ** 1.8, one)     # small ones oftener
        jitter = np.where(hit["crop"], np.exp(self.u(-0.3, 0.3, n) * (self.rng.random(n) < 0.5)), one)
        cx, cy = np.minimum(1, np.sqrt(area) * jitter), np.minimum(1, np.sqrt(area) / jitter)
        px, py = self.u(-1, 1, n) * (1 - cx), self.u(-1, 1, n) * (1 - cy)
        mirror = np.where(hit["mirror"], -1.0, one)
        wide = self.rng.random(n) < 0.25
        angle = np.where(wide, self.u(-180, 180, n), self.u(-40, 40, n)) * s
        angle = np.where(hit["rotate"], angle, 0.0) + 90 * np.where(hit["rotate90"], self.rng.integers(1, 4, n), 0)
        c, sn = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        wc, hc = a * cx, cy
        grown = self.rng.random(n) < 0.85
        grown |= hit["rotate90"]
        cw = np.where(grown, np.abs(wc * c) + np.abs(hc * sn), wc)
        ch = np.where(grown, np.abs(wc * sn) + np.abs(hc * c), hc)
        pads = self.u(0, 0.47 * s, (n, 4)) * (self.rng.random((n, 4)) < 0.6)
        even = self.u(0.01, 0.47 * s + 0.02, n)
        kind = self.rng.random(n)
        pads = np.where((kind < 0.75)[:, None], even[:, None], pads)        # the rest: each side its own
        pads = np.where((kind < 0.1)[:, None], pads * 0.15, pads)           # a thin frame
        pads = np.where(hit["pad"][:, None], pads, 0)
        ox, oy = cw * (pads[:, 1] - pads[:, 0]), ch * (pads[:, 3] - pads[:, 2])
        cw, ch = cw * (1 + pads[:, 0] + pads[:, 1]), ch * (1 + pads[:, 2] + pads[:, 3])
        # screenshot: where the canvas lies in the output, in -1..1
        shot = hit["screenshot"]
        rw = np.where(shot, self.u(1 - 0.55 * s, 0.92, n), 1)
        rh = np.where(shot, np.clip(rw * np.exp(self.u(-0.35, 0.35, n)), 0.35, 0.93), 1)
        rx = np.where(shot, self.u(-1, 1, n), 0) * (1 - rw)
        ry = np.where(shot, self.u(-1, 1, n), 0) * (1 - rh)

        # r = (M o + b): output coordinates -> coordinates in the crop, both -1..1
        m00, m01 = cw * c / wc / rw, ch * sn / wc / rh
        m10, m11 = -cw * sn / hc / rw, ch * c / hc / rh
        b0 = (ox * c + oy * sn) / wc - m00 * rx - m01 * ry
        b1 = (-ox * sn + oy * c) / hc - m10 * rx - m11 * ry
        t = lambda v: torch.from_numpy(np.asarray(v, np.float32)).view(-1, 1, 1)
        gx = t(m00) * self.x + (t(m01) * self.y + t(b0))
        gy = t(m10) * self.x + (t(m11) * self.y + t(b1))
        sx, sy = cx * mirror * window[:, 2], cy * window[:, 3]
        grid = torch.stack((gx * t(sx) + t(px * window[:, 2] + window[:, 0]),
                            gy * t(sy) + t(py * window[:, 3] + window[:, 1])), dim=-1)
        scale = np.sqrt(np.abs(sx * sy * (m00 * m11 - m01 * m10))) * big.shape[-1] / WORK
        out = torch.empty(n, 3, WORK, WORK)
        for chosen, src in ((scale <= 1.4, big), (scale > 1.4, small)):
            i = torch.from_numpy(np.flatnonzero(chosen))
            if len(i):
                sampled = F.grid_sample(src.index_select(0, i), grid.index_select(0, i), mode="bilinear", padding_mode="border", align_corners=False)
                out.index_copy_(0, i, sampled)
        i = torch.from_numpy(np.flatnonzero(hit["rotate"] | hit["pad"]))
        if len(i):
            inside = (gx[i].abs() <= 1) & (gy[i].abs() <= 1)
            fill = torch.from_numpy(self.colours(len(i)))[:, :, None, None]
            out.index_copy_(0, i, torch.where(inside[:, None], out.index_select(0, i), fill))

        def on(name):
            return torch.from_numpy(np.flatnonzero(hit[name]))

        i = on("cover")
        if len(i):
            out.index_copy_(0, i, self.cover(out.index_select(0, i), s))
        i = on("text")
        if len(i):
            o = self.texts[torch.from_numpy(self.rng.integers(0, len(self.texts), len(i)))].float() / 255
            out.index_copy_(0, i, torch.lerp(out.index_select(0, i), o[:, :3], o[:, 3:]))
        # the full-size picture these act on: pixels on its sides
        short = np.where(self.rng.random(n) < 0.6, self.u(190, 330, n), np.exp(self.u(math.log(150), math.log(640), n)))
        ratio = cw / ch
        size = np.stack((short * np.maximum(1, ratio), short * np.maximum(1, 1 / ratio)), 1) * np.sqrt(cx * cy)[:, None]
        size = np.where(shot[:, None], size / np.maximum(rw, rh)[:, None], size)
        light = self.rng.random(n) < 0.5                                   # light and colour before or after a screenshot
        self.colour(out, {k: v & light for k, v in hit.items()}, s)
        i = torch.from_numpy(np.flatnonzero(shot))
        if len(i):
            j = i.numpy()
            inside = ((self.x - t(rx[j])).abs() <= t(rw[j])) & ((self.y - t(ry[j])).abs() <= t(rh[j]))
            w = self.windows[torch.from_numpy(self.rng.integers(0, len(self.windows), len(i)))].float() / 255
            out.index_copy_(0, i, torch.where(inside[:, None], out.index_select(0, i), w))
        self.colour(out, {k: v & ~light for k, v in hit.items()}, s)
        for name in self.rng.permutation(["noise", "blur", "resize"]).tolist() + ["jpeg"]:
            i = on(name)
            if len(i):
                out.index_copy_(0, i, getattr(self, name)(out.index_select(0, i), size[i.numpy()], s))
        out = F.interpolate(out, size=(SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
        readable = (np.abs((angle + 180) % 360 - 180) < 12) & (mirror > 0) & (area > 0.5)
        return out.clamp_(0, 1), torch.from_numpy(readable)

    # --- the steps; x [m,3,WORK,WORK], size [m,2] full-size width and height in pixels, s strength ---

    def cover(self, x, s):
        m = len(x)
        t = lambda v: torch.from_numpy(v).view(-1, 1, 1)
        share = self.u(0.05, 0.05 + 0.42 * s, m)
        pieces = self.rng.integers(1, 4, m)
        pieces[self.rng.random(m) < 0.6] = 1
        for k in range(3):
            part = share / pieces
            r = np.exp(self.u(-0.6, 0.6, m))
            w, h = np.minimum(1, np.sqrt(part * r)), np.minimum(1, np.sqrt(part / r))
            cx, cy = self.u(-1, 1, m) * (1 - w), self.u(-1, 1, m) * (1 - h)
            inside = ((self.x - t(cx)).abs() <= t(w)) & ((self.y - t(cy)).abs() <= t(h)) & t(pieces > k)
            paint = self.colours(m) if self.rng.random() < 0.3 else self.u(0, 1, (m, 3))
            x = torch.where(inside[:, None], torch.from_numpy(paint)[:, :, None, None], x)
        return x

    def colour(self, out, hit, s):
        """Light and colour, in place, on the pictures of out that drew them."""
        t = lambda v: torch.from_numpy(np.asarray(v, np.float32)).view(len(v), -1, 1, 1)
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        for name in ("grey", "saturation", "channels", "gamma", "linear", "vignette", "posterise"):
            i = torch.from_numpy(np.flatnonzero(hit[name]))
            m = len(i)
            if not m:
                continue
            x = out.index_select(0, i)
            if name in ("grey", "saturation"):
                keep = np.zeros(m) if name == "grey" else self.u(0, 1.8, m)
                luma = (x * weights).sum(1, keepdim=True)
                x = luma + (x - luma) * t(keep)
                if name == "grey":
                    tint = 1 + self.u(-0.25, 0.25, (m, 3)) * (self.rng.random((m, 1)) < 0.2)
                    x = x * t(tint)
            elif name == "channels":
                x = x * t(1 + self.u(-0.4, 0.4, (m, 3)) * s)
            elif name == "gamma":
                x = x.clamp(0, 1) ** t(np.exp(self.u(-0.8, 0.8, m) * s))
            elif name == "linear":
                kind = self.rng.random(m)
                gain = np.where(kind < 0.4, self.u(0.3, 1, m), np.where(kind < 0.8, self.u(1, 1.6, m), self.u(0.5, 1.5, m)))
                offset = np.where(kind < 0.4, self.u(-0.05, 0.05, m), np.where(kind < 0.8, self.u(0, 0.13, m), self.u(-0.2, 0.25, m)))
                x = x * t(gain) + t(offset)
            elif name == "vignette":
                r2 = (self.x ** 2 + self.y ** 2)[:, None]
                x = x * (1 - t(self.u(0.2, 0.5, m)) * r2)
            else:
                levels = t(self.rng.integers(3, 8, m) - 1)
                x = torch.round(x.clamp(0, 1) * levels) / levels
            out.index_copy_(0, i, x.clamp_(0, 1))

    def noise(self, x, size, s):
        sigma = self.u(5, 5 + 78 * s, len(x)) / 255
        shrink = np.sqrt(WORK * WORK / (size[:, 0] * size[:, 1]))      # squashing averages the noise of many pixels
        sd = torch.from_numpy((sigma * np.minimum(1.0, shrink)).astype(np.float32)).view(-1, 1, 1, 1)
        return (x + sd * torch.randn(x.shape, generator=self.gaussian)).clamp_(0, 1)

    def groups(self, m, k):
        return [g for g in np.array_split(self.rng.permutation(m), min(k, m)) if len(g)]

    def blur(self, x, size, s):
        """Gaussian; one strength for a group, as wide in both directions as the group's median aspect makes it."""
        for g in self.groups(len(x), 5):
            sigma = float(self.u(0.5, 0.5 + 6 * s, 1)[0])
            y = x[torch.from_numpy(g)].flatten(0, 1)[:, None]
            for axis in (0, 1):
                sd = max(0.2, sigma * WORK / float(np.median(size[g, axis])))
                r = max(1, math.ceil(2.5 * sd))
                k = torch.exp(-0.5 * (torch.arange(-r, r + 1.0) / sd) ** 2)
                k = (k / k.sum()).view((1, 1, 1, -1) if axis == 0 else (1, 1, -1, 1))
                y = F.conv2d(F.pad(y, (r, r, 0, 0) if axis == 0 else (0, 0, r, r), mode="replicate"), k)
            x[torch.from_numpy(g)] = y[:, 0].view(-1, 3, WORK, WORK)
        return x

    def resize(self, x, size, s):
        """Down and up again: to a share of the size, or to a long side in pixels."""
        for g in self.groups(len(x), 6):
            w, h = np.median(size[g, 0]), np.median(size[g, 1])
            k = self.u(0.6 - 0.42 * s, 0.65, 1)[0] if self.rng.random() < 0.5 else self.u(100 - 48 * s, 150, 1)[0] / max(w, h)
            to = (int(np.clip(h * k, 16, WORK)), int(np.clip(w * k, 16, WORK)))
            if min(to) < WORK:
                i = torch.from_numpy(g)
                anti = self.rng.random() < 0.7
                y = F.interpolate(x[i], size=to, mode="bilinear", antialias=bool(anti), align_corners=False)
                x[i] = F.interpolate(y, size=(WORK, WORK), mode="bilinear", align_corners=False)
        return x

    def jpeg(self, x, size, s):
        """Quality to 5, chroma at half size; blocks of 8 px at the working size, so coarser than at full size."""
        m = len(x)
        q = np.exp(self.u(math.log(5 if s > 0.9 else 15), math.log(60), m))
        f = torch.from_numpy(np.where(q < 50, 5000 / q, 200 - 2 * q).astype(np.float32) / 100)
        ycc = mix(x * 255, YCC)
        planes = []
        for plane, table in ((ycc[:, :1] - 128, self.tables[0]), (F.avg_pool2d(ycc[:, 1:], 2), self.tables[1])):
            step = (table[None] * f[:, None]).round().clamp(1, 255).repeat_interleave(plane.shape[1], 0)[:, :, None, None]
            flat = plane.flatten(0, 1)[:, None]
            coefficients = torch.round(F.conv2d(flat, self.basis, stride=8) / step) * step
            planes.append(F.conv_transpose2d(coefficients, self.basis, stride=8).view_as(plane))
        chroma = F.interpolate(planes[1], scale_factor=2, mode="bilinear", align_corners=False)
        y = mix(torch.cat((planes[0] + 128, chroma), 1), RGB / 255)
        if self.rng.random() < 0.3:                                     # a deblocking codec (WebP) smooths what it breaks
            y = F.avg_pool2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return y.clamp_(0, 1)
