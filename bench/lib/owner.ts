/** What a run must undo, newest first, however it ends. */
export function createOwner() {
  const undo: (() => unknown)[] = []
  let ended: Promise<void> | undefined

  async function run(): Promise<void> {
    for (const step of undo.splice(0).reverse()) await step()
  }

  return {
    teardown(step: () => unknown): void {
      undo.push(step)
    },
    end(): Promise<void> {
      ended ??= run()
      return ended
    },
  }
}

export type Owner = ReturnType<typeof createOwner>
