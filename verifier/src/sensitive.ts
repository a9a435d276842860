/** Material types of the catalogue that ask for a second officer; written in when the program is built. */
declare const SENSITIVE_TYPE_CODES: readonly string[];

export const SENSITIVE_TYPES: ReadonlySet<string> = new Set(SENSITIVE_TYPE_CODES);
