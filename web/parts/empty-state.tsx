import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.js'

export interface EmptyStateProps {
  icon: IconName
  title: string
  text?: string
  children?: ComponentChildren
}

/** Why there is nothing here, and what one may do. */
export function EmptyState({ icon, title, text, children }: EmptyStateProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={28} />
      </span>
      <p class="empty-title">{title}</p>
      {text && <p class="empty-text">{text}</p>}
      {children}
    </div>
  )
}
