import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'

/** What has to be known of the service's settings. */
export interface ServiceSettings {
  maxMessageChars: number
  maxUploadBytes: number
  /** The key of Web Push; null where nobody is pushed to, undefined while that is not known. */
  pushKey: string | null | undefined
}

/** As a service is where nobody has set it otherwise. */
const DEFAULTS: ServiceSettings = { maxMessageChars: 8_000, maxUploadBytes: 26_214_400, pushKey: undefined }

const ServiceContext = createContext<ServiceSettings>(DEFAULTS)

export const ServiceProvider = ServiceContext.Provider

/** The settings of the service that the page talks to. */
export const useService = (): ServiceSettings => useContext(ServiceContext)

/** Asks a service for its settings; until it has answered, and where it does not, they are the usual ones. */
export function useFetchedService(home: string): ServiceSettings {
  const [settings, setSettings] = useState(DEFAULTS)
  useEffect(() => {
    let isOver = false
    void fetchSettings(home).then((found) => {
      if (!isOver) setSettings(found)
    })
    return () => {
      isOver = true
    }
  }, [home])
  return settings
}

async function fetchSettings(home: string): Promise<ServiceSettings> {
  try {
    const answer = await fetch(new URL('page/settings', home.endsWith('/') ? home : `${home}/`))
    if (!answer.ok) return DEFAULTS
    const found: Record<string, unknown> = { ...(await answer.json()) }
    const { maxMessageChars, maxUploadBytes, pushKey } = found
    return {
      maxMessageChars: typeof maxMessageChars === 'number' ? maxMessageChars : DEFAULTS.maxMessageChars,
      maxUploadBytes: typeof maxUploadBytes === 'number' ? maxUploadBytes : DEFAULTS.maxUploadBytes,
      pushKey: typeof pushKey === 'string' ? pushKey : null,
    }
  } catch {
    return DEFAULTS
  }
}
