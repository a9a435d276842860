/**
 * Readers of JSON values: exact members, one spelling, limits.
 *
 * Every reader takes what was parsed and gives a typed value, or refuses with `unexpected_shape`,
 * `malformed_encoding` or `unknown_version`.
 */
import { type Hex, fromHex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { Refusal } from "./refusal.ts";

const SHAPE = "unexpected_shape";
const MAX_TEXT = 65_536;
export const MAX_TIME_S = 2 ** 40;

export type Members = { readonly [name: string]: Json };

export function demand(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new Refusal(SHAPE, detail);
}

/** An object with exactly these members. */
export function readObject(value: Json | undefined, names: readonly string[]): Members {
  demand(typeof value === "object" && value !== null && !Array.isArray(value), "no object");
  const found = Object.keys(value);
  demand(found.length === names.length && names.every((each) => Object.hasOwn(value, each)), `members ${found}`);
  return value;
}

/** As `readObject`, and the member `v` names the version. */
export function readVersioned(value: Json | undefined, version: string, names: readonly string[]): Members {
  demand(typeof value === "object" && value !== null && !Array.isArray(value), "no object");
  if (value["v"] !== version) throw new Refusal("unknown_version");
  return readObject(value, ["v", ...names]);
}

export function readList<T>(
  value: Json | undefined,
  read: (item: Json) => T,
  limits: { min?: number; max?: number } = {},
): T[] {
  demand(Array.isArray(value), "no list");
  demand(value.length >= (limits.min ?? 0) && value.length <= (limits.max ?? 100_000), "length of a list");
  return value.map((item) => read(item));
}

export function readInteger(value: Json | undefined, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  demand(typeof value === "number" && Number.isSafeInteger(value), "no integer");
  demand(value >= min && value <= max, "integer out of range");
  return value;
}

export const readTime = (value: Json | undefined): number => readInteger(value, 0, MAX_TIME_S);

export function readText(value: Json | undefined, max = MAX_TEXT): string {
  demand(typeof value === "string" && value.length > 0 && value.length <= max, "no text");
  return value;
}

/** ASCII letters, digits and `. _ / -`, at most 64, a letter or digit first. */
export function readCode(value: Json | undefined): string {
  const text = readText(value, 64);
  demand(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(text), "no code");
  return text;
}

/** Printable text of 1 to 256 characters. */
export function readShortText(value: Json | undefined): string {
  const text = readText(value);
  demand([...text].length <= 256 && !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text), "no short text");
  return text;
}

export function readChoice<T extends string>(value: Json | undefined, choices: readonly T[]): T {
  const found = choices.find((each) => each === value);
  demand(found !== undefined, "none of the choices");
  return found;
}

export function readBoolean(value: Json | undefined): boolean {
  demand(typeof value === "boolean", "no boolean");
  return value;
}

export function readHex(value: Json | undefined, size?: number): Hex {
  demand(typeof value === "string", "no text");
  fromHex(value, size);
  return value;
}

export const readHash = (value: Json | undefined): Hex => readHex(value, 32);

/** Address as 40 hex digits, without the `0x` it is written with. */
export function readAddress(value: Json | undefined): Hex {
  const text = readText(value, 42);
  demand(text.startsWith("0x"), "no address");
  return readHex(text.slice(2), 20);
}

/** Six-digit division code. */
export function readCity(value: Json | undefined): string {
  const text = readText(value, 6);
  demand(/^[0-9]{6}$/.test(text), "no city");
  return text;
}

export function readNullable<T>(value: Json | undefined, read: (item: Json | undefined) => T): T | null {
  return value === null ? null : read(value);
}

/** The items, if their keys strictly rise. */
export function demandRising<T, K extends string | number>(items: readonly T[], keyOf: (item: T) => K): void {
  for (let at = 1; at < items.length; at += 1) {
    demand(keyOf(items[at - 1] as T) < keyOf(items[at] as T), "not rising");
  }
}

export function demandDistinct(items: readonly (string | number)[]): void {
  demand(new Set(items).size === items.length, "twice");
}
