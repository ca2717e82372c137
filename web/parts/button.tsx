import type { ComponentChildren, ComponentProps } from 'preact'
import { Icon, type IconName } from './icon.js'

type Native = Omit<ComponentProps<'button'>, 'icon' | 'label' | 'class' | 'className' | 'size'>

export interface ButtonProps extends Native {
  /** `primary` once in a view; `danger` for what takes something away. */
  look?: 'primary' | 'plain' | 'quiet' | 'danger'
  icon?: IconName
  children: ComponentChildren
}

/** A button with words. */
export function Button({ look = 'plain', icon, children, type = 'button', ...native }: ButtonProps) {
  return (
    <button {...native} type={type} class={`button button-${look}`}>
      {icon && <Icon name={icon} size={18} />}
      <span>{children}</span>
    </button>
  )
}

export interface IconButtonProps extends Native {
  icon: IconName
  /** What it does: its name for a screen reader, and its hint. */
  label: string
  look?: 'quiet' | 'primary'
}

/** A button with a drawing alone. */
export function IconButton({ icon, label, look = 'quiet', type = 'button', ...native }: IconButtonProps) {
  return (
    <button {...native} type={type} class={`icon-button icon-button-${look}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  )
}
