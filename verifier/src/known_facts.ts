/**
 * What is known of the chain: facts somebody read, and behind them what a receipt proves
 * (docs/spec/trust.md, "Facts"; receipt-v1.md, "What counts").
 */
import type { Hex } from "./bytes.ts";
import { flagsSlot } from "./chain_proofs.ts";
import type { BlockFact, GrantFact, Place, ReadFacts } from "./facts.ts";
import { type Trust, validatorsAt } from "./trust.ts";
import type { RestsOn } from "./verdict.ts";
import { type ProvenChain, wordKey } from "./verify_chain.ts";

/**
 * All but `there` and `unknown` settle a claim against it: the event stands `elsewhere`, an`other` of
 * its kind stands at the place claimed, or there is none (`absent`).
 */
export type Found = "there" | "elsewhere" | "other" | "absent" | "unknown";

export interface Head {
  readonly city: string;
  readonly generation: number;
  readonly size: number;
  readonly root: Hex;
}

export class KnownFacts {
  private readonly read: ReadFacts | null;
  private readonly proven: ProvenChain | null;
  private readonly trust: Trust;
  private readonly version: 0 | 1;
  readonly source: RestsOn;
  private readonly grants: readonly GrantFact[];
  private readonly heads: readonly (Head & { readonly at: Place })[];
  private readonly consumptions: readonly { terms: Hex; release: Hex; at: Place }[];

  constructor(trust: Trust, version: 0 | 1, proven: ProvenChain | null) {
    this.trust = trust;
    this.version = version;
    this.read = trust.facts;
    this.proven = proven;
    this.source = this.read === null ? "seals" : "trust_file";
    const events = (proven?.events ?? []).filter(({ place }) => this.countsAsProven(place.block.number));
    this.heads = [
      ...(this.read?.heads ?? []),
      ...events.flatMap(({ event, place }) =>
        event.name === "CheckpointAnchored" ? [{ ...event.head, size: Number(event.head.size), at: place }] : [],
      ),
    ];
    this.grants = [
      ...(this.read?.grants ?? []),
      ...events.flatMap(({ event, place }) =>
        event.name === "GrantRecorded" ? [{ ...event.grant, recorded: place, revoked: null }] : [],
      ),
    ];
    this.consumptions = [
      ...(this.read?.consumptions ?? []),
      ...events.flatMap(({ event, place }) => (event.name === "GrantConsumed" ? [{ ...event, at: place }] : [])),
    ];
  }

  /** Newest block that facts or seals reach to; null: none. */
  get asOf(): BlockFact | null {
    const sealed = [...(this.proven?.sealed.values() ?? [])];
    const all = this.read === null ? sealed : [...sealed, this.read.asOf];
    return all.reduce<BlockFact | null>(
      (best, each) => (best === null || each.number > best.number ? each : best),
      null,
    );
  }

  private isCompleteTo(block: number): boolean {
    return this.read !== null && block <= this.read.asOf.number;
  }

  private countsAsProven(block: number): boolean {
    return this.proven !== null && this.proven.sealed.has(block) && !this.isCompleteTo(block);
  }

  /** Places of both versions name contract and block; inside the block only their own version's do. */
  private isAt(found: Place, claimed: Place): boolean {
    const { hash, number, timestamp } = found.block;
    const isBlock =
      number === claimed.block.number && hash === claimed.block.hash && timestamp === claimed.block.timestamp;
    const isRead = this.isCompleteTo(number);
    const inBlock = (this.version === 1 && isRead) || found.inBlock === claimed.inBlock;
    return found.contract === claimed.contract && isBlock && inBlock;
  }

  private isSamePlace(one: Place, other: Place): boolean {
    return one.contract === other.contract && one.block.number === other.block.number && one.inBlock === other.inBlock;
  }

  private isProvenPlace(claimed: Place): boolean {
    const events = this.proven?.events ?? [];
    return events.some(({ place }) => this.countsAsProven(place.block.number) && this.isSamePlace(place, claimed));
  }

  /** In version 1 an event in a block without seals has to be among the logs carried. */
  private isCarried(claimed: Place): boolean {
    if (this.version === 0 || validatorsAt(this.trust, claimed.block.number) !== null) return true;
    return (this.proven?.events ?? []).some(({ place }) => this.isSamePlace(place, claimed));
  }

  private settle(found: Place | null, claimed: Place, others: readonly Place[] = []): Found {
    if (found !== null) {
      if (!this.isAt(found, claimed)) return "elsewhere";
      return this.isCarried(claimed) ? "there" : "unknown";
    }
    if (others.some((each) => this.isSamePlace(each, claimed))) return "other";
    return this.isCompleteTo(claimed.block.number) || this.isProvenPlace(claimed) ? "absent" : "unknown";
  }

  private findHead(head: Head): Place | null {
    const found = this.heads.find(
      (each) =>
        each.city === head.city &&
        each.generation === head.generation &&
        each.size === head.size &&
        each.root === head.root,
    );
    return found?.at ?? null;
  }

  locateHead(head: Head, claimed: Place): Found {
    return this.settle(this.findHead(head), claimed);
  }

  /** Block time at which a head was anchored, wherever; null: not by the end of what is read. */
  headAnchoredAt(head: Head): number | null {
    return this.findHead(head)?.block.timestamp ?? null;
  }

  locateGrant(terms: { grantId: Hex; grants: Hex }, claimed: Place): { found: Found; grant: GrantFact | null } {
    const isIt = (each: GrantFact) => each.terms === terms.grantId && each.recorded.contract === terms.grants;
    const grant = this.grants.find(isIt) ?? null;
    const others = this.grants.map((each) => each.recorded);
    return { found: this.settle(grant?.recorded ?? null, claimed, others), grant };
  }

  locateConsumption(release: Hex, grants: Hex, claimed: Place): { found: Found; terms: Hex | null } {
    const known = this.consumptions.find((each) => each.release === release && each.at.contract === grants);
    const others = this.consumptions.map((each) => each.at);
    return { found: this.settle(known?.at ?? null, claimed, others), terms: known?.terms ?? null };
  }

  /** Flags of a leaf after a block; null: unknown. */
  flagsAt(city: string, leafHash: Hex, block: number): number | null {
    if (this.read !== null && this.isCompleteTo(block)) {
      return this.read.statuses
        .filter((each) => each.city === city && each.leafHash === leafHash && each.block <= block)
        .reduce((flags, each) => flags | each.status, 0);
    }
    if (this.proven === null || !this.proven.sealed.has(block)) return null;
    const slot = flagsSlot(city, leafHash);
    const contracts = this.trust.contracts.filter((each) => each.role === "material_status" && each.fromBlock <= block);
    let flags: number | null = contracts.length === 0 ? null : 0;
    for (const { address } of contracts) {
      const word = this.proven.words.get(wordKey(block, address, slot));
      if (word === undefined || word > 15n) return null;
      flags = (flags ?? 0) | Number(word);
    }
    return flags;
  }

  /** The newest block after which the flags of a leaf are known, and the flags. */
  newestFlags(city: string, leafHash: Hex): { flags: number; block: BlockFact } | null {
    const sealed = [...(this.proven?.sealed.values() ?? [])];
    const blocks = this.read === null ? sealed : [...sealed, this.read.asOf];
    for (const block of blocks.sort((one, other) => other.number - one.number)) {
      const flags = this.flagsAt(city, leafHash, block.number);
      if (flags !== null) return { flags, block };
    }
    return null;
  }

  isReadTo(block: number): boolean {
    return this.isCompleteTo(block);
  }
}
