import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { Relation, Tier } from '../../core/contract/index.ts'

export interface DemoReport {
  indexing: { total: number; indexed: number; failed: number; seconds: number }
  search: {
    query: string
    original: string
    damage: string
    /** 1 when the original came first; 0 when it was not among the results. */
    rank: number
    searched: number
    milliseconds: number
    results: { path: string; score: number; relation: Relation }[]
  }
  denoise: {
    clean: string
    noisy: string
    sigma: number
    psnrBefore: number
    results: { tier: Tier; output: string; psnr: number; seconds: number; sigma: number | null }[]
  }
}

/** Side of the 1:1 crops, pixels. */
const CROP = 320

/** Writes report.html and the small pictures it shows (report/) into `folder`; answers with the page's path. */
export async function writeReport(folder: string, report: DemoReport): Promise<string> {
  const { search, denoise, indexing } = report
  await mkdir(path.join(folder, 'report'), { recursive: true })
  const query = await thumbnail(folder, search.query, 'query', 480)
  const results = await Promise.all(
    search.results.map(async (result, index) => ({ ...result, image: await thumbnail(folder, result.path, `result-${index + 1}`, 360) })),
  )
  const views = [
    {
      image: await crop(folder, denoise.noisy, 'noisy'),
      title: 'Noisy',
      note: `σ ${denoise.sigma}`,
      figure: denoise.psnrBefore.toFixed(2),
      unit: 'dB',
    },
    ...(await Promise.all(
      denoise.results.map(async (result) => ({
        image: await crop(folder, result.output, result.tier),
        title: `Denoised, ${result.tier}`,
        note: `${result.seconds.toFixed(1)} s${result.sigma === null ? '' : `, σ measured ${result.sigma.toFixed(1)}`}`,
        figure: result.psnr.toFixed(2),
        unit: 'dB',
      })),
    )),
    { image: await crop(folder, denoise.clean, 'clean'), title: 'Original', note: 'what the noise was added to', figure: '', unit: '' },
  ]

  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lucidex demo</title>
<style>
  :root {
    color-scheme: light dark;
    --ground: #f6f7f9; --card: #ffffff; --line: #e1e4ea; --text: #1b1f27; --quiet: #626b79; --accent: #2563eb; --good: #15803d; --good-soft: #dcfce7;
  }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #101318; --card: #181c23; --line: #2a303a; --text: #e6e9ee; --quiet: #97a1b0; --accent: #7aa7ff; --good: #6ee7a0; --good-soft: #143524; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
  main { max-width: 1120px; margin: 0 auto; padding: 48px 24px 72px; }
  h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
  h2 { font-size: 18px; margin: 48px 0 4px; }
  p { margin: 0; color: var(--quiet); }
  .figures { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 24px; }
  .figures div { flex: 1 1 150px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
  .figures b { display: block; font-size: 24px; line-height: 1.2; font-weight: 600; }
  .figures small { color: var(--quiet); }
  .search { display: grid; grid-template-columns: minmax(220px, 300px) 1fr; gap: 20px; margin-top: 16px; align-items: start; }
  .results { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
  .views { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 12px; margin-top: 16px; }
  figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
  figure.hit { border-color: var(--good); box-shadow: 0 0 0 1px var(--good); }
  img { display: block; width: 100%; }
  .results img { aspect-ratio: 4 / 3; object-fit: cover; }
  .views img { aspect-ratio: 1; object-fit: cover; image-rendering: pixelated; }
  figcaption { padding: 9px 12px 10px; font-size: 13px; line-height: 1.35; }
  figcaption span { display: block; color: var(--quiet); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  figcaption b { font-weight: 600; }
  .row { display: flex; justify-content: space-between; gap: 8px; }
  .badge { border-radius: 99px; padding: 0 8px; font-size: 12px; line-height: 18px; background: var(--line); }
  .hit .badge { background: var(--good-soft); color: var(--good); }
  code { font: 13px ui-monospace, monospace; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 2px 6px; color: var(--text); }
  @media (max-width: 640px) { .search { grid-template-columns: 1fr; } }
</style>
</head>
<body>
<main>
  <h1>Lucidex demo</h1>
  <p>${indexing.total} pictures painted by code, indexed, searched and denoised on this machine.</p>
  <div class="figures">
    ${figure(String(indexing.total), 'pictures in the library')}
    ${figure(search.rank === 0 ? 'not found' : `#${search.rank}`, `rank of the original among ${search.searched}`)}
    ${figure(`${search.milliseconds.toFixed(1)} ms`, 'to search')}
    ${denoise.results.map((result) => figure(`+${(result.psnr - denoise.psnrBefore).toFixed(2)} dB`, `denoised, ${escape(result.tier)}`)).join('\n    ')}
  </div>

  <h2>Find the original</h2>
  <p>${escape(path.basename(search.original))} was ${escape(search.damage)}.</p>
  <div class="search">
    <figure><img src="${query}" alt="The damaged picture"><figcaption><b>The damaged picture</b><span>searched by</span></figcaption></figure>
    <div class="results">
      ${results.map((result) => resultFigure(result, search.original)).join('\n      ')}
    </div>
  </div>

  <h2>Take out the noise</h2>
  <p>${CROP} × ${CROP} pixels of ${escape(path.basename(denoise.clean))}, at their own size. The noise level was measured from the noisy picture.</p>
  <div class="views">
    ${views.map(viewFigure).join('\n    ')}
  </div>

  <h2>Go on</h2>
  <p>Open the app on this library: <code>npm start -- --library demo/library</code></p>
</main>
</body>
</html>
`
  const page = path.join(folder, 'report.html')
  await writeFile(page, html)
  return page
}

function figure(value: string, label: string): string {
  return `<div><b>${value}</b><small>${label}</small></div>`
}

function resultFigure(result: { path: string; score: number; relation: Relation; image: string }, original: string): string {
  const name = escape(path.basename(result.path))
  return `<figure${result.path === original ? ' class="hit"' : ''}><img src="${result.image}" alt="${name}"><figcaption><div class="row"><b>${result.score.toFixed(3)}</b><i class="badge">${escape(result.relation)}</i></div><span>${name}</span></figcaption></figure>`
}

function viewFigure(view: { image: string; title: string; note: string; figure: string; unit: string }): string {
  return `<figure><img src="${view.image}" alt="${escape(view.title)}"><figcaption><div class="row"><b>${escape(view.title)}</b><b>${view.figure} ${view.unit}</b></div><span>${escape(view.note)}</span></figcaption></figure>`
}

async function thumbnail(folder: string, file: string, name: string, side: number): Promise<string> {
  const relative = `report/${name}.webp`
  await sharp(file)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 85 })
    .toFile(path.join(folder, relative))
  return relative
}

/** The picture's middle, unscaled and without loss. */
async function crop(folder: string, file: string, name: string): Promise<string> {
  const relative = `report/${name}.png`
  const { width, height } = await sharp(file).metadata()
  const box = { left: Math.round((width - CROP) / 2), top: Math.round((height - CROP) / 2), width: CROP, height: CROP }
  await sharp(file).extract(box).png().toFile(path.join(folder, relative))
  return relative
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
