import { relative, resolve } from 'node:path'
import { repositoryUrl, sidebar, slugify, toSiteLink } from './contents.mjs'

/** The site of docs/: see site/README.md. */
export default {
  title: 'chat-socket-service',
  description:
    'A realtime chat and presence server: stored before it is acknowledged, once, in one order for everybody.',
  lang: 'en',
  base: process.env.DOCS_BASE ?? '/',
  outDir: './dist',
  cacheDir: './node_modules/.cache',
  srcExclude: ['site/README.md'],
  rewrites: { 'site/:page.md': ':page.md' },
  cleanUrls: true,
  // Pages speak of a service on the reader's machine.
  ignoreDeadLinks: 'localhostLinks',
  lastUpdated: false,
  markdown: {
    anchor: { slugify },
    config(md) {
      md.core.ruler.push('links', ({ tokens, env }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type === 'link_open') token.attrSet('href', toSiteLink(pageOf(env), token.attrGet('href')))
        }
      })
    },
  },
  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Client', link: '/client' },
      { text: 'Operations', link: '/operations' },
      { text: 'Reference', link: '/reference' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repositoryUrl }],
  },
}

/** Where a page lies in docs/, whatever its address is. */
const pageOf = ({ realPath, path }) => relative(resolve(import.meta.dirname, '..'), realPath ?? path)
