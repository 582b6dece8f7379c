/**
 * The Content-Security-Policy of the app's pages: nothing from anywhere else, no eval, no inline
 * styles or scripts, no frames, no forms. Pictures may also be blobs: the window makes them of what is pasted.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
