import { describe, expect, it } from 'vitest'
import { externalUrl, isPermitted, isTrustedSender } from '../../../electron/policy/origin.ts'

describe('isTrustedSender', () => {
  it.each(['lucidex://app/', 'lucidex://app/index.html?x#y', 'lucidex://app/media/thumbnail/1/abc'])('trusts %s', (url) => {
    expect(isTrustedSender(url)).toBe(true)
  })

  it.each([
    '',
    'about:blank',
    'file:///etc/passwd',
    'https://app/',
    'lucidex://other/',
    'lucidex://app.evil/',
    'lucidex://app:80/',
    'lucidex://user@app/',
    'lucidex:app',
    'lucidex-x://app/',
    'data:text/html,lucidex://app/',
    'https://evil.example/#lucidex://app/',
  ])('refuses %j', (url) => {
    expect(isTrustedSender(url)).toBe(false)
  })
})

describe('externalUrl', () => {
  it('lets only https to the known hosts through', () => {
    expect(externalUrl('https://lucidex.app/help#search')).toBe('https://lucidex.app/help#search')
    for (const url of [
      'http://lucidex.app/',
      'https://lucidex.app.evil.example/',
      'https://evil.example/lucidex.app',
      'https://lucidex.app@evil.example/',
      'https://me:pw@lucidex.app/',
      'https://lucidex.app:8443/',
      'file:///C:/Windows/System32/calc.exe',
      'javascript:alert(1)',
      'not a url',
    ]) {
      expect(externalUrl(url), url).toBeNull()
    }
  })
})

describe('isPermitted', () => {
  it('grants the clipboard to the app and nothing to anybody else', () => {
    expect(isPermitted('clipboard-read', 'lucidex://app/')).toBe(true)
    expect(isPermitted('clipboard-read', 'https://evil.example/')).toBe(false)
    expect(isPermitted('media', 'lucidex://app/')).toBe(false)
    expect(isPermitted('openExternal', 'lucidex://app/')).toBe(false)
  })
})
