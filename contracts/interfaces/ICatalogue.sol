// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ListEdition, ListRule} from "../types/Types.sol";
import {IMembership} from "./IMembership.sol";

/// @title Which edition of which list of the service catalogue counts from when
/// @notice The cities concerned vote; what they publish is a digest, the document is handed over
/// beside the chain. An edition is never changed or taken back: the next one follows it.
interface ICatalogue {
    /// @notice A list was named for the first time; its kind and parties never change.
    /// @param listId keccak-256 of the ABI encoding of kind, code and parties.
    /// @param kind A ListRule.
    /// @param code Code of the list in the catalogue.
    /// @param parties Cities concerned, four bytes each; empty: every member.
    event ListOpened(bytes32 indexed listId, uint8 kind, string code, bytes parties);

    /// @notice A city concerned put an edition to the vote.
    /// @param id Number of the vote, from 1 on.
    /// @param listId The list.
    /// @param city Proposing city.
    /// @param edition Number the edition will have.
    /// @param digest SHA-256 of the list's document.
    /// @param effectiveFrom Block time in seconds from which it will count.
    /// @param paper SHA-256 of the paper that explains it, or zero.
    /// @param expiresAt Block time in seconds; neither votes nor publication from then on.
    event EditionProposed(
        uint64 indexed id,
        bytes32 indexed listId,
        uint32 indexed city,
        uint32 edition,
        bytes32 digest,
        uint64 effectiveFrom,
        bytes32 paper,
        uint64 expiresAt
    );

    /// @notice A city concerned voted; its later vote replaces an earlier one.
    /// @param id Number of the vote.
    /// @param city Voting city.
    /// @param support True for yes.
    event EditionVoteCast(uint64 indexed id, uint32 indexed city, bool support);

    /// @notice An edition had its votes and counts from `effectiveFrom` on.
    /// @param id Number of the vote.
    /// @param listId The list.
    /// @param edition Number of the edition, from 1 on.
    /// @param digest SHA-256 of the list's document.
    /// @param effectiveFrom Block time in seconds.
    event EditionPublished(
        uint64 indexed id,
        bytes32 indexed listId,
        uint32 edition,
        bytes32 digest,
        uint64 effectiveFrom
    );

    /// @notice A code has 1 to 64 of the characters A-Z, a-z, 0-9 and . _ / -
    error CatalogueBadCode();
    /// @notice Parties are four bytes each, at most 64, ascending, all of them members; a bilateral
    /// or directed list has at least two, a list of the consortium none or at least two.
    error CatalogueBadParties();
    /// @notice The digest is zero.
    error CatalogueZeroDigest();
    /// @notice Not the number after the last published edition.
    error CatalogueBadEdition(bytes32 list, uint32 edition, uint32 held);
    /// @notice It would count at once or in the past, or not after the edition before it.
    error CatalogueTooEarly(uint64 effectiveFrom, uint64 earliest);
    /// @notice It would count only after more than ten years.
    error CatalogueTooLate(uint64 effectiveFrom, uint64 latest);
    /// @notice The caller's city is none of those concerned.
    error CatalogueNotConcerned(bytes32 list, uint32 city);
    /// @notice There is no such vote.
    error CatalogueUnknownVote(uint64 id);
    /// @notice The vote's time is over.
    error CatalogueVoteExpired(uint64 id);
    /// @notice The edition was published before.
    error CatalogueAlreadyPublished(uint64 id);
    /// @notice The city voted the same before.
    error CatalogueAlreadyVoted(uint64 id, uint32 city);
    /// @notice Too few of the cities concerned support it.
    error CatalogueVotesMissing(uint64 id, uint256 yes, uint256 needed);

    /// @notice Puts an edition of a list to the vote of the cities concerned.
    /// @dev Caller: the govern account of a city concerned, in good standing. Only while this
    /// contract is current.
    /// @param edition What is to be published.
    /// @param paper SHA-256 of the paper that explains it, or zero.
    /// @return id Number of the vote.
    function propose(ListEdition calldata edition, bytes32 paper) external returns (uint64 id);

    /// @notice Votes on an edition; a later vote replaces an earlier one.
    /// @dev Caller: as in `propose`.
    /// @param id Number of the vote.
    /// @param support True for yes.
    function vote(uint64 id, bool support) external;

    /// @notice Publishes an edition that has its votes; it must still lie in the future.
    /// @dev Caller: as in `propose`. A list of the consortium takes two thirds of the cities
    /// concerned that are in good standing, at least one; a bilateral or directed one takes every
    /// city concerned, each in good standing.
    /// WARNING: an edition that could count retroactively would change under what a case was
    /// decided; that is why a vote that comes too late has to be taken again.
    /// @param id Number of the vote.
    function publish(uint64 id) external;

    /// @notice Identifier of a list: two lists of one code with other parties are two lists.
    /// @param kind Whose votes it takes.
    /// @param code Code of the list in the catalogue.
    /// @param parties Cities concerned, four bytes each.
    function listOf(ListRule kind, string calldata code, bytes calldata parties)
        external
        pure
        returns (bytes32 list);

    /// @notice The edition of a list that counts at a time.
    /// @param list The list.
    /// @param timestamp_s Block time in seconds.
    /// @return edition Its number; 0 if none counted yet.
    /// @return digest SHA-256 of the list's document.
    /// @return effectiveFrom Block time in seconds since which it counts.
    function editionAt(bytes32 list, uint64 timestamp_s)
        external
        view
        returns (uint32 edition, bytes32 digest, uint64 effectiveFrom);

    /// @notice How many editions of a list were published.
    /// @param list The list.
    function editionCount(bytes32 list) external view returns (uint32);

    /// @notice A vote and how it stands.
    /// @param id Number of the vote.
    /// @return list The list; zero if there is no such vote.
    /// @return expiresAt Block time in seconds.
    /// @return published Whether the edition was published.
    /// @return yes Cities that support it and are in good standing.
    /// @return needed How many have to.
    function voteOf(uint64 id)
        external
        view
        returns (bytes32 list, uint64 expiresAt, bool published, uint256 yes, uint256 needed);

    /// @notice The Membership this contract answers to.
    function membership() external view returns (IMembership);
}
