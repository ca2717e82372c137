const DAY_MS = 86_400_000
const WEEK_DAYS = 6

/** Times as a language writes them, in the time zone of who reads. */
export interface Dates {
  /** `14:05`, `2:05 PM` */
  time(at: string): string
  /** Today, yesterday, or the date: over a day's messages. */
  day(at: string): string
  /** As short as a list has room for: the time today, then the weekday, then the date. */
  short(at: string): string
  /** When somebody was seen: the time today, then day and time. */
  seen(at: string): string
  /** Day and time. */
  full(at: string): string
}

/** The dates of a language. */
export function createDates(locale: string, now: () => number = Date.now): Dates {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, options)
    return (at: string): string => formatter.format(new Date(at))
  }
  const time = format({ hour: 'numeric', minute: '2-digit' })
  const weekday = format({ weekday: 'short' })
  const weekdayAndDate = format({ weekday: 'long', day: 'numeric', month: 'long' })
  const date = format({ day: 'numeric', month: 'short' })
  const dateAndYear = format({ day: 'numeric', month: 'long', year: 'numeric' })
  const numeric = format({ day: '2-digit', month: '2-digit', year: '2-digit' })
  const full = format({ day: 'numeric', month: 'long', year: 'numeric', hour: 'numeric', minute: '2-digit' })
  const dateAndTime = format({ day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })

  const daysAgo = (at: string): number => Math.round((startOfDay(now()) - startOfDay(Date.parse(at))) / DAY_MS)
  const isThisYear = (at: string): boolean => new Date(at).getFullYear() === new Date(now()).getFullYear()

  return {
    time,
    full,
    day(at) {
      const days = daysAgo(at)
      if (days >= 0 && days <= 1) return capitalize(relative.format(-days, 'day'), locale)
      return isThisYear(at) ? capitalize(weekdayAndDate(at), locale) : dateAndYear(at)
    },
    seen: (at) => (daysAgo(at) <= 0 ? time(at) : isThisYear(at) ? dateAndTime(at) : numeric(at)),
    short(at) {
      const days = daysAgo(at)
      if (days <= 0) return time(at)
      if (days <= WEEK_DAYS) return weekday(at)
      return isThisYear(at) ? date(at) : numeric(at)
    },
  }
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

const capitalize = (text: string, locale: string): string => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)
