import type { Page } from 'playwright-core'

/** A picture: how large the window is, whose page it is, and what is done before. */
export interface Shot {
  name: string
  width: number
  height: number
  /** The demo's two people, or one who has signed in. */
  who: 'demo' | 'alice'
  prepare?(page: Page): Promise<void>
}

const firstRow = (page: Page) => page.locator('.chat-row').first()

/** Waits until the room shows messages. */
const settled = async (page: Page): Promise<void> => {
  await firstRow(page).waitFor()
  await page.waitForLoadState('networkidle')
}

/** Opens the sheet about oneself. */
const openAccount = async (page: Page): Promise<void> => {
  await settled(page)
  await page.locator('.me').first().click()
  await page.locator('.sheet').waitFor()
}

/** Every picture that is kept in docs/screenshots. */
export const SHOTS: readonly Shot[] = [
  { name: 'desktop-demo', width: 1_440, height: 900, who: 'demo', prepare: settled },
  { name: 'desktop', width: 1_440, height: 900, who: 'alice', prepare: openAccount },
  { name: 'phone-list', width: 390, height: 844, who: 'alice', prepare: settled },
  {
    name: 'phone-room',
    width: 390,
    height: 844,
    who: 'alice',
    prepare: async (page) => {
      await firstRow(page).click()
      await page.waitForLoadState('networkidle')
    },
  },
]

export const THEMES = ['light', 'dark'] as const
export const LANGUAGES = ['en', 'ru'] as const
