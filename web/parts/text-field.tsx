import { useId } from 'preact/hooks'

export interface TextFieldProps {
  label: string
  value: string
  onInput(value: string): void
  hint?: string | undefined
  error?: string | undefined
  placeholder?: string
  autofocus?: boolean
  spellcheck?: boolean
  maxLength?: number
}

/** A line of text with its name above; an error is told and read with it. */
export function TextField({ label, value, onInput, hint, error, ...native }: TextFieldProps) {
  const id = useId()
  const note = error ?? hint
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        dir="auto"
        autocomplete="off"
        {...native}
        id={id}
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {note !== undefined && (
        <p
          id={`${id}-note`}
          class={error === undefined ? 'field-note' : 'field-note field-error'}
          role={error === undefined ? undefined : 'alert'}
        >
          {note}
        </p>
      )}
    </div>
  )
}

export interface SwitchProps {
  label: string
  isOn: boolean
  onChange(isOn: boolean): void
  hint?: string
  isDisabled?: boolean
}

/** Something that is on or off. */
export function Switch({ label, isOn, onChange, hint, isDisabled = false }: SwitchProps) {
  const id = useId()
  return (
    <label class="switch">
      <span>
        {label}
        {hint && (
          <span class="field-note" id={id}>
            {hint}
          </span>
        )}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        aria-label={label}
        aria-describedby={hint ? id : undefined}
        disabled={isDisabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  )
}

export interface ChoiceProps<T extends string> {
  label: string
  options: readonly { value: T; label: string }[]
  value: T
  onChange(value: T): void
}

/** One of a few, side by side. */
export function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend class="heard">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-option">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}
