// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {ContractRole, KeyRole, ListEdition, ListRule} from "./types/Types.sol";

/// @title Which edition of which list of the service catalogue counts from when
contract Catalogue is ICatalogue {
    uint256 private constant MAX_CODE_BYTES = 64;
    uint256 private constant MAX_PARTIES = 64;
    uint64 private constant MAX_AHEAD_S = 3_660 days;

    enum Choice {
        None,
        Yes,
        No
    }

    struct Edition {
        bytes32 digest;
        uint64 effectiveFrom;
    }

    struct List {
        bool open;
        ListRule kind;
        uint32[] parties;
        Edition[] editions;
    }

    struct Vote {
        bytes32 list;
        bytes32 digest;
        uint64 effectiveFrom;
        uint64 expiresAt;
        uint32 edition;
        bool published;
    }

    /// @inheritdoc ICatalogue
    IMembership public immutable membership;

    mapping(bytes32 list => List) private _lists;
    mapping(uint64 id => Vote) private _votes;
    mapping(uint64 id => mapping(uint32 city => Choice)) private _choices;
    uint64 private _voteCount;

    constructor(IMembership membership_) {
        membership = membership_;
    }

    /// @inheritdoc ICatalogue
    function propose(ListEdition calldata edition, bytes32 paper) external returns (uint64 id) {
        bytes32 list = listOf(edition.kind, edition.code, edition.parties);
        _open(list, edition);
        uint32 city = _callingParty(list);
        if (edition.digest == bytes32(0)) revert CatalogueZeroDigest();
        _checkNext(list, edition.edition, edition.effectiveFrom);
        id = ++_voteCount;
        uint64 expiresAt = uint64(block.timestamp) + membership.proposalPeriod_s();
        _votes[id] = Vote(
            list, edition.digest, edition.effectiveFrom, expiresAt, edition.edition, false
        );
        _emitProposed(id, city, paper);
    }

    /// @inheritdoc ICatalogue
    function vote(uint64 id, bool support) external {
        uint32 city = _callingParty(_openVote(id).list);
        Choice choice = support ? Choice.Yes : Choice.No;
        if (_choices[id][city] == choice) revert CatalogueAlreadyVoted(id, city);
        _choices[id][city] = choice;
        emit EditionVoteCast(id, city, support);
    }

    /// @inheritdoc ICatalogue
    function publish(uint64 id) external {
        Vote storage open = _openVote(id);
        bytes32 list = open.list;
        _callingParty(list);
        _checkNext(list, open.edition, open.effectiveFrom);
        (uint256 yes, uint256 needed) = _count(id, list);
        if (yes < needed) revert CatalogueVotesMissing(id, yes, needed);
        open.published = true;
        _lists[list].editions.push(Edition(open.digest, open.effectiveFrom));
        emit EditionPublished(id, list, open.edition, open.digest, open.effectiveFrom);
    }

    /// @inheritdoc ICatalogue
    function editionAt(bytes32 list, uint64 timestamp_s)
        external
        view
        returns (uint32 edition, bytes32 digest, uint64 effectiveFrom)
    {
        Edition[] storage editions = _lists[list].editions;
        for (uint256 i = editions.length; i != 0; --i) {
            Edition storage held = editions[i - 1];
            if (held.effectiveFrom <= timestamp_s) {
                return (uint32(i), held.digest, held.effectiveFrom);
            }
        }
    }

    /// @inheritdoc ICatalogue
    function editionCount(bytes32 list) external view returns (uint32) {
        return uint32(_lists[list].editions.length);
    }

    /// @inheritdoc ICatalogue
    function voteOf(uint64 id)
        external
        view
        returns (bytes32 list, uint64 expiresAt, bool published, uint256 yes, uint256 needed)
    {
        Vote storage held = _votes[id];
        list = held.list;
        if (list != bytes32(0)) (yes, needed) = _count(id, list);
        return (list, held.expiresAt, held.published, yes, needed);
    }

    /// @inheritdoc ICatalogue
    function listOf(ListRule kind, string calldata code, bytes calldata parties)
        public
        pure
        returns (bytes32 list)
    {
        return keccak256(abi.encode(kind, code, parties));
    }

    /// @dev Kind and parties are part of the list's identifier, so they are read only once.
    function _open(bytes32 list, ListEdition calldata edition) private {
        List storage named = _lists[list];
        if (named.open) return;
        _checkCode(bytes(edition.code));
        named.open = true;
        named.kind = edition.kind;
        _readParties(named, edition.parties);
        emit ListOpened(list, uint8(edition.kind), edition.code, edition.parties);
    }

    function _readParties(List storage named, bytes calldata parties) private {
        uint256 count = parties.length / 4;
        bool everybody = count == 0 && named.kind == ListRule.Consortium;
        if (parties.length % 4 != 0 || count > MAX_PARTIES || (count < 2 && !everybody)) {
            revert CatalogueBadParties();
        }
        uint32 last = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint32 city = uint32(bytes4(parties[4 * i:4 * i + 4]));
            if (city <= last || !membership.isMember(city)) revert CatalogueBadParties();
            named.parties.push(city);
            last = city;
        }
    }

    /// @dev From storage: the values do not all fit beside the call's own on the stack.
    function _emitProposed(uint64 id, uint32 city, bytes32 paper) private {
        Vote storage open = _votes[id];
        emit EditionProposed(
            id,
            open.list,
            city,
            open.edition,
            open.digest,
            open.effectiveFrom,
            paper,
            open.expiresAt
        );
    }

    function _callingParty(bytes32 list) private view returns (uint32 city) {
        city = membership.authorise(msg.sender, KeyRole.Govern, ContractRole.Catalogue);
        uint32[] storage parties = _lists[list].parties;
        if (parties.length == 0) return city;
        for (uint256 i = 0; i < parties.length; ++i) {
            if (parties[i] == city) return city;
        }
        revert CatalogueNotConcerned(list, city);
    }

    function _checkNext(bytes32 list, uint32 edition, uint64 effectiveFrom) private view {
        Edition[] storage editions = _lists[list].editions;
        uint256 held = editions.length;
        if (edition != held + 1) revert CatalogueBadEdition(list, edition, uint32(held));
        uint64 earliest = uint64(block.timestamp) + 1;
        if (held != 0 && editions[held - 1].effectiveFrom >= earliest) {
            earliest = editions[held - 1].effectiveFrom + 1;
        }
        if (effectiveFrom < earliest) revert CatalogueTooEarly(effectiveFrom, earliest);
        uint64 latest = uint64(block.timestamp) + MAX_AHEAD_S;
        if (effectiveFrom > latest) revert CatalogueTooLate(effectiveFrom, latest);
    }

    /// @dev Readers keep a code as text: no byte may stand here that a database refuses.
    function _checkCode(bytes calldata code) private pure {
        if (code.length == 0 || code.length > MAX_CODE_BYTES) revert CatalogueBadCode();
        for (uint256 i = 0; i < code.length; ++i) {
            bytes1 c = code[i];
            bool letter = (c >= "a" && c <= "z") || (c >= "A" && c <= "Z");
            bool other = (c >= "-" && c <= "9") || c == "_"; // - . / and the digits
            if (!letter && !other) revert CatalogueBadCode();
        }
    }

    function _openVote(uint64 id) private view returns (Vote storage open) {
        open = _votes[id];
        if (open.expiresAt == 0) revert CatalogueUnknownVote(id);
        if (open.published) revert CatalogueAlreadyPublished(id);
        if (block.timestamp >= open.expiresAt) revert CatalogueVoteExpired(id);
    }

    /// @dev How many support a vote and how many have to; a suspended city neither counts nor is
    /// left out where every party has to agree.
    function _count(uint64 id, bytes32 list) private view returns (uint256 yes, uint256 needed) {
        List storage named = _lists[list];
        uint32[] memory cities = named.parties.length == 0 ? membership.members() : named.parties;
        uint256 standing = 0;
        for (uint256 i = 0; i < cities.length; ++i) {
            if (!membership.inGoodStanding(cities[i])) continue;
            ++standing;
            if (_choices[id][cities[i]] == Choice.Yes) ++yes;
        }
        needed = named.kind == ListRule.Consortium ? (2 * standing + 2) / 3 : cities.length;
        if (needed == 0) needed = 1;
    }
}
