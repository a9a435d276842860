// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ICityLog} from "./interfaces/ICityLog.sol";
import {IMaterialStatus} from "./interfaces/IMaterialStatus.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {Rfc6962} from "./libraries/Rfc6962.sol";
import {ContractRole, KeyRole} from "./types/Types.sol";

/// @title What became of a material after it was anchored, and objections against it
contract MaterialStatus is IMaterialStatus {
    uint8 private constant WITHDRAWN = 1;
    uint8 private constant SUPERSEDED = 2;
    uint8 private constant SPENT = 4;
    uint8 private constant ERASED = 8;

    uint8 private constant OPEN = 0;
    uint8 private constant LAST_OUTCOME = 3;
    uint8 private constant TAKEN_BACK = 4;

    uint32 private constant MAX_OPEN = 100;

    struct Objection {
        uint32 city;
        uint32 raiser;
        uint8 state;
        bytes32 leafHash;
    }

    /// @inheritdoc IMaterialStatus
    IMembership public immutable membership;
    /// @inheritdoc IMaterialStatus
    mapping(uint32 raiser => uint32) public openObjections;

    mapping(uint32 city => mapping(bytes32 leafHash => uint8)) private _flags;
    mapping(uint32 city => mapping(bytes32 leafHash => bytes32)) private _successors;
    mapping(uint64 id => Objection) private _objections;
    uint64 private _objectionCount;

    constructor(IMembership membership_) {
        membership = membership_;
    }

    /// @inheritdoc IMaterialStatus
    function setStatus(bytes32 leafHash, uint8 status, bytes32 successor) external {
        uint32 city = _issuerFor(status);
        if (leafHash == bytes32(0)) revert MaterialStatusZeroHash();
        if ((status == SUPERSEDED) != (successor != bytes32(0))) {
            revert MaterialStatusBadSuccessor(status, successor);
        }
        uint8 flags = _flags[city][leafHash];
        if (flags & status != 0) revert MaterialStatusAlreadySet(city, leafHash, status);
        _flags[city][leafHash] = flags | status;
        if (status == SUPERSEDED) _successors[city][leafHash] = successor;
        emit StatusSet(city, leafHash, status, successor);
    }

    /// @inheritdoc IMaterialStatus
    function raiseObjection(
        uint32 city,
        bytes32 leafHash,
        uint64 leafIndex,
        bytes32[] calldata proof,
        bytes32 reason
    ) external returns (uint64 id) {
        uint32 raiser =
            membership.authorise(msg.sender, KeyRole.Gate, ContractRole.MaterialStatus);
        if (reason == bytes32(0)) revert MaterialStatusZeroHash();
        uint32 open = openObjections[raiser];
        if (open >= MAX_OPEN) revert MaterialStatusTooManyOpen(raiser, open);
        _verifyAnchored(city, leafHash, leafIndex, proof);
        openObjections[raiser] = open + 1;
        id = ++_objectionCount;
        _objections[id] = Objection(city, raiser, OPEN, leafHash);
        emit ObjectionRaised(id, city, leafHash, raiser, reason);
    }

    /// @inheritdoc IMaterialStatus
    function closeObjection(uint64 id, uint8 outcome) external {
        uint32 caller = membership.cityOfAccount(msg.sender, KeyRole.Gate);
        if (!membership.inGoodStanding(caller)) revert MaterialStatusNotInGoodStanding(caller);
        Objection storage objection = _openObjection(id);
        if (objection.city != caller) revert MaterialStatusNotIssuer(id, caller);
        if (outcome == OPEN || outcome > LAST_OUTCOME) revert MaterialStatusBadOutcome(outcome);
        _settle(objection, outcome);
        emit ObjectionClosed(id, outcome);
    }

    /// @inheritdoc IMaterialStatus
    function withdrawObjection(uint64 id) external {
        uint32 caller = membership.cityOfAccount(msg.sender, KeyRole.Gate);
        Objection storage objection = _openObjection(id);
        if (objection.raiser != caller) revert MaterialStatusNotRaiser(id, caller);
        _settle(objection, TAKEN_BACK);
        emit ObjectionWithdrawn(id);
    }

    /// @inheritdoc IMaterialStatus
    function statusOf(uint32 city, bytes32 leafHash)
        external
        view
        returns (uint8 flags, bytes32 successor)
    {
        return (_flags[city][leafHash], _successors[city][leafHash]);
    }

    /// @inheritdoc IMaterialStatus
    function objectionOf(uint64 id)
        external
        view
        returns (uint32 city, uint32 raiser, uint8 state, bytes32 leafHash)
    {
        Objection storage objection = _objections[id];
        return (objection.city, objection.raiser, objection.state, objection.leafHash);
    }

    /// @dev The calling city, if it may set this flag. A suspended member may still withdraw and
    /// erase, because a person's protection must not wait for its city.
    function _issuerFor(uint8 status) private view returns (uint32 city) {
        if (status == WITHDRAWN || status == ERASED) {
            if (!membership.isCurrent(ContractRole.MaterialStatus, address(this))) {
                revert MaterialStatusNotCurrent();
            }
            return membership.cityOfAccount(msg.sender, KeyRole.Gate);
        }
        if (status != SUPERSEDED && status != SPENT) revert MaterialStatusBadStatus(status);
        return membership.authorise(msg.sender, KeyRole.Gate, ContractRole.MaterialStatus);
    }

    function _verifyAnchored(
        uint32 city,
        bytes32 leafHash,
        uint64 leafIndex,
        bytes32[] calldata proof
    ) private view {
        address log = membership.currentContract(ContractRole.CityLog);
        if (log == address(0)) revert MaterialStatusNoHead(city);
        (, uint64 size, bytes32 root,) = ICityLog(log).head(city);
        if (size == 0) revert MaterialStatusNoHead(city);
        Rfc6962.verifyInclusion(leafHash, leafIndex, size, root, proof);
    }

    function _openObjection(uint64 id) private view returns (Objection storage objection) {
        objection = _objections[id];
        if (objection.city == 0) revert MaterialStatusUnknownObjection(id);
        if (objection.state != OPEN) revert MaterialStatusObjectionClosed(id);
    }

    function _settle(Objection storage objection, uint8 state) private {
        objection.state = state;
        --openObjections[objection.raiser];
    }
}
