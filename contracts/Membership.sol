// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CurrentContracts} from "./bases/CurrentContracts.sol";
import {MemberKeys} from "./bases/MemberKeys.sol";
import {ICityLog} from "./interfaces/ICityLog.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {ContractRole, Founder, KeyRole, ProposalKind} from "./types/Types.sol";

/// @title Members of the consortium, their keys, their votes, and the contracts they agreed on
/// @dev This file holds the votes; bases/ hold the keys and the current contracts.
contract Membership is MemberKeys, CurrentContracts {
    enum Vote {
        None,
        Yes,
        No
    }

    struct Proposal {
        ProposalKind kind;
        bool executed;
        uint64 expiresAt;
        bytes payload;
    }

    /// @inheritdoc IMembership
    uint64 public immutable proposalPeriod_s;

    mapping(uint64 id => Proposal) private _proposals;
    mapping(uint64 id => mapping(uint32 city => Vote)) private _votes;
    uint64 private _proposalCount;

    constructor(Founder[] memory founders, uint64 delay_s, uint64 period_s) MemberKeys(delay_s) {
        if (founders.length == 0) revert MembershipNoFounders();
        if (period_s == 0) revert MembershipZeroPeriod();
        proposalPeriod_s = period_s;
        for (uint256 i = 0; i < founders.length; ++i) {
            Founder memory founder = founders[i];
            _checkAdmission(founder.city, founder.url, founder.keys);
            _admit(founder.city, founder.url, founder.keys);
        }
    }

    /// @inheritdoc IMembership
    function propose(ProposalKind kind, bytes calldata payload, bytes32 paper)
        external
        returns (uint64 id)
    {
        uint32 city = _callingMember();
        _tryCheck(kind, payload);
        id = ++_proposalCount;
        uint64 expiresAt = uint64(block.timestamp) + proposalPeriod_s;
        _proposals[id] = Proposal(kind, false, expiresAt, payload);
        emit ProposalCreated(id, city, uint8(kind), payload, paper, expiresAt);
    }

    /// @inheritdoc IMembership
    function vote(uint64 id, bool support) external {
        uint32 city = _callingMember();
        _requireOpen(id);
        Vote choice = support ? Vote.Yes : Vote.No;
        if (_votes[id][city] == choice) revert MembershipAlreadyVoted(id, city);
        _votes[id][city] = choice;
        emit VoteCast(id, city, support);
    }

    /// @inheritdoc IMembership
    function execute(uint64 id) external {
        _callingMember();
        _requireOpen(id);
        (uint256 yes, uint256 standing) = _count(id);
        if (3 * yes < 2 * standing) revert MembershipQuorumMissing(id, yes, standing);
        Proposal storage proposal = _proposals[id];
        proposal.executed = true;
        bytes memory payload = proposal.payload;
        _tryCheck(proposal.kind, payload);
        emit ProposalExecuted(id);
        _apply(proposal.kind, payload);
    }

    /// @inheritdoc IMembership
    function checkProposal(ProposalKind kind, bytes calldata payload) external view {
        bytes memory canonical;
        if (kind == ProposalKind.AdmitCity) {
            (uint32 city, string memory url, bytes32[7] memory keys) =
                abi.decode(payload, (uint32, string, bytes32[7]));
            canonical = abi.encode(city, url, keys);
            _checkAdmission(city, url, keys);
        } else if (kind == ProposalKind.SuspendCity) {
            uint32 city = abi.decode(payload, (uint32));
            canonical = abi.encode(city);
            _requireGoodStanding(city);
            if (_goodStandingCount() == 1) revert MembershipLastMember(city);
        } else if (kind == ProposalKind.ReinstateCity) {
            uint32 city = abi.decode(payload, (uint32));
            canonical = abi.encode(city);
            if (_standing[city] == Standing.Unknown) revert MembershipNotMember(city);
            if (_standing[city] != Standing.Suspended) revert MembershipNotSuspended(city);
        } else if (kind == ProposalKind.RegisterContract) {
            (ContractRole role, address contractAddress, uint64 fromBlock) =
                abi.decode(payload, (ContractRole, address, uint64));
            canonical = abi.encode(role, contractAddress, fromBlock);
            _checkRegistration(role, contractAddress);
        } else if (kind == ProposalKind.DistrustKey) {
            (uint32 city, KeyRole role, bytes32 key, uint64 sinceBlock) =
                abi.decode(payload, (uint32, KeyRole, bytes32, uint64));
            canonical = abi.encode(city, role, key, sinceBlock);
            _checkDistrust(city, role, key, sinceBlock);
        } else if (kind == ProposalKind.ReplaceKey) {
            (uint32 city, KeyRole role, bytes32 key) =
                abi.decode(payload, (uint32, KeyRole, bytes32));
            canonical = abi.encode(city, role, key);
            _checkReplacement(city, role, key);
        } else if (kind == ProposalKind.CancelChange) {
            uint64 changeId = abi.decode(payload, (uint64));
            canonical = abi.encode(changeId);
            _checkCancellation(changeId);
        } else {
            (uint32 city, uint32 generation, uint64 size, bytes32 root) =
                abi.decode(payload, (uint32, uint32, uint64, bytes32));
            canonical = abi.encode(city, generation, size, root);
            _checkClosing(city, generation, size);
        }
        if (keccak256(canonical) != keccak256(payload)) revert MembershipBadPayload();
    }

    /// @inheritdoc IMembership
    function authorise(address account, KeyRole role, ContractRole contractRole)
        external
        view
        returns (uint32 city)
    {
        city = cityOfAccount(account, role);
        _requireGoodStanding(city);
        if (!isCurrent(contractRole, msg.sender)) {
            revert MembershipNotCurrent(contractRole, msg.sender);
        }
    }

    /// @inheritdoc IMembership
    function proposalOf(uint64 id)
        external
        view
        returns (
            ProposalKind kind,
            bytes memory payload,
            uint64 expiresAt,
            bool executed,
            uint256 yes,
            uint256 standing
        )
    {
        Proposal storage proposal = _proposals[id];
        (yes, standing) = _count(id);
        return (
            proposal.kind, proposal.payload, proposal.expiresAt, proposal.executed, yes, standing
        );
    }

    /// @dev What was checked right before is decoded again here, where it takes effect.
    function _apply(ProposalKind kind, bytes memory payload) private {
        if (kind == ProposalKind.AdmitCity) {
            (uint32 city, string memory url, bytes32[7] memory keys) =
                abi.decode(payload, (uint32, string, bytes32[7]));
            _admit(city, url, keys);
        } else if (kind == ProposalKind.SuspendCity) {
            uint32 city = abi.decode(payload, (uint32));
            _standing[city] = Standing.Suspended;
            emit MemberSuspended(city);
        } else if (kind == ProposalKind.ReinstateCity) {
            uint32 city = abi.decode(payload, (uint32));
            _standing[city] = Standing.Good;
            emit MemberReinstated(city);
        } else if (kind == ProposalKind.RegisterContract) {
            (ContractRole role, address contractAddress, uint64 fromBlock) =
                abi.decode(payload, (ContractRole, address, uint64));
            _register(role, contractAddress, fromBlock);
        } else if (kind == ProposalKind.DistrustKey) {
            (uint32 city, KeyRole role, bytes32 key, uint64 sinceBlock) =
                abi.decode(payload, (uint32, KeyRole, bytes32, uint64));
            _distrustKey(city, role, key, sinceBlock);
        } else if (kind == ProposalKind.ReplaceKey) {
            (uint32 city, KeyRole role, bytes32 key) =
                abi.decode(payload, (uint32, KeyRole, bytes32));
            _replaceKey(city, role, key);
        } else if (kind == ProposalKind.CancelChange) {
            _cancelChange(abi.decode(payload, (uint64)));
        } else {
            (uint32 city, uint32 generation, uint64 size, bytes32 root) =
                abi.decode(payload, (uint32, uint32, uint64, bytes32));
            address log = currentContract(ContractRole.CityLog);
            ICityLog(log).closeGeneration(city, generation, size, root);
        }
    }

    /// @dev A payload that does not decode reverts without a reason; it gets one here.
    function _tryCheck(ProposalKind kind, bytes memory payload) private view {
        try this.checkProposal(kind, payload) {}
        catch (bytes memory reason) {
            if (reason.length == 0) revert MembershipBadPayload();
            // Memory-safe: only reads the returned error and hands it on unchanged.
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
    }

    function _checkClosing(uint32 city, uint32 generation, uint64 size) private view {
        if (_standing[city] == Standing.Unknown) revert MembershipNotMember(city);
        address log = currentContract(ContractRole.CityLog);
        if (log == address(0)) revert MembershipNoContract(ContractRole.CityLog);
        (uint32 held, uint64 heldSize,,) = ICityLog(log).head(city);
        if (generation != held || size > heldSize) {
            revert MembershipBadClosing(city, generation, size);
        }
    }

    function _callingMember() private view returns (uint32 city) {
        city = cityOfAccount(msg.sender, KeyRole.Govern);
        _requireGoodStanding(city);
    }

    function _requireOpen(uint64 id) private view {
        Proposal storage proposal = _proposals[id];
        if (proposal.expiresAt == 0) revert MembershipUnknownProposal(id);
        if (proposal.executed) revert MembershipProposalExecuted(id);
        if (block.timestamp >= proposal.expiresAt) revert MembershipProposalExpired(id);
    }

    function _goodStandingCount() private view returns (uint256 standing) {
        (, standing) = _count(0); // there is no proposal 0, so no votes
    }

    function _count(uint64 id) private view returns (uint256 yes, uint256 standing) {
        for (uint256 i = 0; i < _members.length; ++i) {
            uint32 city = _members[i];
            if (_standing[city] != Standing.Good) continue;
            ++standing;
            if (_votes[id][city] == Vote.Yes) ++yes;
        }
    }
}
