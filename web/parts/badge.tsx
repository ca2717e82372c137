export interface BadgeProps {
  /** What is shown: a number, `99+`, `@`. */
  children: string
  /** What a screen reader says instead. */
  label: string
  look?: 'accent' | 'soft'
}

/** A number beside a name. */
export function Badge({ children, label, look = 'accent' }: BadgeProps) {
  return (
    <span class={`badge badge-${look}`}>
      <span aria-hidden="true">{children}</span>
      <span class="heard">{label}</span>
    </span>
  )
}
