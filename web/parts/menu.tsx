import { useId, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.js'
import { Popup } from './popup.js'

export interface MenuItem {
  label: string
  onSelect(): void
  icon?: IconName
  isDanger?: boolean
  isDisabled?: boolean
  /** Set where the item is one of some choices, or goes on and off. */
  isChecked?: boolean
}

export interface MenuListProps {
  label: string
  /** A null is a line between. */
  items: (MenuItem | null)[]
  anchor: Element
  align?: 'start' | 'end'
  onClose(): void
}

/** A menu at an element: arrows, Home, End and letters move, Enter picks, Esc closes. */
export function MenuList({ label, items, anchor, align = 'start', onClose }: MenuListProps) {
  const pick = (item: MenuItem): void => {
    onClose()
    item.onSelect()
  }
  return (
    <Popup anchor={anchor} align={align} onClose={onClose} role="menu" label={label} onShown={(el) => move(el, 'Home')}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys bubble to here from the items, which have the roles */}
      <div
        class="menu"
        role="presentation"
        onKeyDown={(event) => {
          if (event.key === 'Tab') return onClose()
          if (!move(event.currentTarget, event.key)) return
          event.preventDefault()
          // What the menu stands in may have keys of its own.
          event.stopPropagation()
        }}
      >
        {items.map((item, i) =>
          item === null ? (
            <hr key={i} />
          ) : (
            // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role is one of two, and where it is not a checkbox nothing is checked
            <button
              key={item.label}
              type="button"
              class={item.isDanger ? 'menu-item menu-item-danger' : 'menu-item'}
              role={item.isChecked === undefined ? 'menuitem' : 'menuitemcheckbox'}
              aria-checked={item.isChecked}
              disabled={item.isDisabled}
              tabIndex={-1}
              onClick={() => pick(item)}
            >
              {item.icon && <Icon name={item.icon} size={18} />}
              <span>{item.label}</span>
              {item.isChecked && <Icon name="check" size={18} />}
            </button>
          ),
        )}
      </div>
    </Popup>
  )
}

function move(element: Element, key: string): boolean {
  const items = [...element.querySelectorAll<HTMLElement>('.menu-item:not(:disabled)')]
  const at = items.findIndex((item) => item.matches(':focus'))
  const next = nextOf(items, at, key)
  next?.focus()
  return next !== undefined
}

function nextOf(items: HTMLElement[], at: number, key: string): HTMLElement | undefined {
  if (key === 'ArrowDown') return items[(at + 1) % items.length]
  if (key === 'ArrowUp') return items.at(at <= 0 ? -1 : at - 1)
  if (key === 'Home') return items[0]
  if (key === 'End') return items.at(-1)
  if (key.length !== 1 || key === ' ') return undefined
  const letter = key.toLocaleLowerCase()
  const round = [...items.slice(at + 1), ...items.slice(0, at + 1)]
  return round.find((item) => item.textContent?.toLocaleLowerCase().startsWith(letter))
}

export interface MenuProps extends Omit<MenuListProps, 'anchor' | 'onClose'> {
  icon?: IconName
}

/** A button with a drawing, and its menu. */
export function Menu({ icon = 'more', label, align = 'end', ...list }: MenuProps) {
  const [anchor, setAnchor] = useState<Element | null>(null)
  const id = useId()
  return (
    <>
      <button
        id={id}
        type="button"
        class="icon-button icon-button-quiet"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        <Icon name={icon} />
      </button>
      {anchor && <MenuList {...list} label={label} align={align} anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  )
}
