import type { Page } from 'playwright-core'
import { draftIn } from './world.js'

/** A picture: how large the window is, whose page it is, and what is done before. */
export interface Shot {
  name: string
  width: number
  height: number
  /** The demo's two people, or one who has signed in. */
  who: 'demo' | 'alice'
  prepare?(page: Page, language: string): Promise<void>
}

const firstRow = (page: Page) => page.locator('.chat-row').first()

/** Waits until the room shows messages. */
const settled = async (page: Page): Promise<void> => {
  await firstRow(page).waitFor()
  await page.waitForLoadState('networkidle')
}

/** Lets Bob begin to write, which Alice sees. */
const typing = async (page: Page, language: string): Promise<void> => {
  await settled(page)
  await page.locator('textarea').nth(1).pressSequentially(draftIn(language))
  await page.locator('.room-typing').waitFor()
}

/** Every picture that is kept in docs/screenshots. */
export const SHOTS: readonly Shot[] = [
  { name: 'desktop', width: 1_360, height: 780, who: 'demo', prepare: typing },
  { name: 'phone-list', width: 390, height: 780, who: 'alice', prepare: settled },
  {
    name: 'phone-room',
    width: 390,
    height: 780,
    who: 'alice',
    prepare: async (page) => {
      await firstRow(page).click()
      await page.waitForLoadState('networkidle')
    },
  },
]

export const THEMES = ['light', 'dark'] as const
export const LANGUAGES = ['en', 'ru'] as const
