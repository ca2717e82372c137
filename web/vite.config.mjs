import { defineConfig } from 'vite'

// The page is one script and one sheet, loaded by relative URLs, so that it works below any prefix.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  resolve: {
    alias: [
      { find: /^react$/, replacement: 'preact/compat' },
      { find: /^react-dom$/, replacement: 'preact/compat' },
      { find: /^react\/jsx-runtime$/, replacement: 'preact/jsx-runtime' },
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // What has `light-dark()` and popovers.
    target: ['chrome123', 'firefox125', 'safari17.5'],
    // Neither inlined files nor scripts: the content security policy has no `unsafe-inline`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // On a busy machine it would say which plugin took how long.
    rolldownOptions: { checks: { pluginTimings: false } },
    sourcemap: true,
  },
})
