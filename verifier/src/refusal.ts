/** What does not hold, by its stable code. Nothing else leaves the verifier. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, detail = "") {
    super(detail === "" ? code : `${code}: ${detail}`);
    this.name = "Refusal";
    this.code = code;
  }
}

/** Run `action`; whatever it refuses becomes a refusal with `code`. */
export function refuseAs<T>(code: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(code, error.message);
    throw error;
  }
}

/** `action` run at most once: what it gave, or refused with, is given again. */
export function once<T>(action: () => T): () => T {
  let outcome: { value: T } | { error: unknown } | null = null;
  return () => {
    if (outcome === null) {
      try {
        outcome = { value: action() };
      } catch (error) {
        outcome = { error };
      }
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  };
}
