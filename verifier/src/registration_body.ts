/** Body of a registration receipt (docs/spec/receipt.md, "File"). */
import type { Hex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { MAX_GENERATION } from "./placement.ts";
import { readCity, readCode, readHash, readInteger, readList, readObject, readTime } from "./shape.ts";
import { type Disclosed, readDisclosed } from "./statement.ts";

const MAX_DIGESTS = 2 ** 16 - 1;

export interface RegistrationBody {
  readonly receipt: string;
  readonly city: string;
  readonly generation: number;
  readonly commitment: Hex;
  readonly digests: readonly Hex[];
  readonly disclosed: readonly Disclosed[];
  readonly registeredAt: number;
}

export function readRegistrationBody(value: Json | undefined): RegistrationBody {
  const m = readObject(value, ["receipt", "city", "generation", "commitment", "digests", "disclosed", "registered_at"]);
  return {
    receipt: readCode(m["receipt"]),
    city: readCity(m["city"]),
    generation: readInteger(m["generation"], 0, MAX_GENERATION),
    commitment: readHash(m["commitment"]),
    digests: readList(m["digests"], readHash, { min: 1, max: MAX_DIGESTS }),
    disclosed: readDisclosed(m["disclosed"]),
    registeredAt: readTime(m["registered_at"]),
  };
}
