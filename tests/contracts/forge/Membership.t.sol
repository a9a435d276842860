// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Grants} from "../../../contracts/Grants.sol";
import {ContractRole, KeyRole, ProposalKind} from "../../../contracts/types/Types.sol";
import {FuzzSelector, World} from "./World.sol";

/// @title Anybody calls everything; only a vote may change members, standing and contracts
contract MembershipHandler is World {
    struct Ballot {
        ProposalKind kind;
        uint32 city;
        address contractAddress;
        uint256 expiresAt;
        bool executed;
    }

    Ballot[] private _ballots; // a proposal's number is its place here plus `_first`
    mapping(uint256 ballot => mapping(uint32 city => bool)) private _yes;
    mapping(uint32 city => bool) public modelSuspended;
    uint64 private _first;
    address public modelGrants;
    uint256 public executed;
    uint256 public refused;

    constructor() {
        modelGrants = address(grants);
        _first = 4; // three registrations came before
    }

    function propose(uint256 who, uint256 what, uint256 whom) external counted {
        uint32 city = cityAt(who);
        Ballot memory ballot;
        ballot.city = cityAt(whom);
        ballot.expiresAt = block.timestamp + 7 days;
        bytes memory payload = abi.encode(ballot.city);
        bool possible;
        what %= 3;
        if (what == 0) {
            ballot.kind = ProposalKind.SuspendCity;
            possible = !modelSuspended[ballot.city] && standingCount() > 1;
        } else if (what == 1) {
            ballot.kind = ProposalKind.ReinstateCity;
            possible = modelSuspended[ballot.city];
        } else {
            ballot.kind = ProposalKind.RegisterContract;
            ballot.contractAddress = address(new Grants(membership));
            payload = abi.encode(ContractRole.Grants, ballot.contractAddress, uint64(0));
            possible = true;
        }
        vm.prank(accountOf(city, KeyRole.Govern));
        try membership.propose(ballot.kind, payload, bytes32(0)) returns (uint64 id) {
            require(possible && !modelSuspended[city], "proposed what may not be");
            require(id == _first + _ballots.length, "number");
            _ballots.push(ballot);
        } catch {
            require(!possible || modelSuspended[city], "refused a good proposal");
            ++refused;
        }
    }

    function vote(uint256 which, uint256 who, bool support) external counted {
        if (_ballots.length == 0) return;
        which %= _ballots.length;
        uint32 city = cityAt(who);
        vm.prank(accountOf(city, KeyRole.Govern));
        try membership.vote(_first + uint64(which), support) {
            require(!modelSuspended[city] && _isOpen(which), "voted where it may not");
            _yes[which][city] = support;
        } catch {
            ++refused;
        }
    }

    /// @dev Everybody votes yes, then it is carried out: the fast lane to a good execution.
    function carry(uint256 which, uint256 missing) external counted {
        if (_ballots.length == 0) return;
        which %= _ballots.length;
        for (uint256 i = 0; i < CITIES; ++i) {
            uint32 city = cityAt(i);
            if (i == missing % (2 * CITIES) || modelSuspended[city]) continue;
            vm.prank(accountOf(city, KeyRole.Govern));
            try membership.vote(_first + uint64(which), true) {
                _yes[which][city] = true;
            } catch {}
        }
        _execute(which, accountOf(cityAt(missing), KeyRole.Govern), cityAt(missing));
    }

    function execute(uint256 which, uint256 who) external counted {
        if (_ballots.length == 0) return;
        _execute(which % _ballots.length, accountOf(cityAt(who), KeyRole.Govern), cityAt(who));
    }

    /// @dev Any other account, and a city's other calls: none of them may change what votes change.
    function meddle(uint256 who, uint256 role, uint64 number, bytes32 word) external counted {
        address account =
            role % 4 == 3 ? address(uint160(who)) : accountOf(cityAt(who), KeyRole(role % 3));
        bytes[5] memory calls = [
            abi.encodeCall(membership.announceKey, (KeyRole(role % 7), word)),
            abi.encodeCall(membership.announceUrl, ("http://elsewhere")),
            abi.encodeCall(membership.cancelChange, (number % 8)),
            abi.encodeCall(membership.vote, (number % 8, false)),
            abi.encodeCall(membership.execute, (number % 8))
        ];
        // vote and execute only by accounts that may not: the model follows the others above
        uint256 choice = uint256(word) % (account == _governOf(who) ? 3 : 5);
        if (choice == 0 && role % 7 == uint256(KeyRole.Govern)) choice = 1;
        vm.prank(account);
        (bool passed,) = address(membership).call(calls[choice]);
        require(!passed || choice < 3, "governed by another account");
        if (!passed) ++refused;
    }

    function pass(uint256 seconds_) external counted {
        vm.warp(block.timestamp + seconds_ % 1 days);
        vm.roll(block.number + 1);
    }

    function _execute(uint256 which, address account, uint32 city) private {
        Ballot storage ballot = _ballots[which];
        bool allowed = _isOpen(which) && !modelSuspended[city] && _hasTwoThirds(which)
            && _isPossible(ballot);
        vm.prank(account);
        try membership.execute(_first + uint64(which)) {
            require(allowed, "executed what may not be");
            ballot.executed = true;
            ++executed;
            if (ballot.kind == ProposalKind.SuspendCity) modelSuspended[ballot.city] = true;
            if (ballot.kind == ProposalKind.ReinstateCity) modelSuspended[ballot.city] = false;
            if (ballot.kind == ProposalKind.RegisterContract) {
                modelGrants = ballot.contractAddress;
                vm.roll(block.number + 1);
            }
        } catch {
            require(!allowed, "refused a good execution");
            ++refused;
        }
    }

    function _isOpen(uint256 which) private view returns (bool) {
        return !_ballots[which].executed && block.timestamp < _ballots[which].expiresAt;
    }

    function _hasTwoThirds(uint256 which) private view returns (bool) {
        uint256 yes;
        uint256 standing;
        for (uint256 i = 0; i < CITIES; ++i) {
            if (modelSuspended[cityAt(i)]) continue;
            ++standing;
            if (_yes[which][cityAt(i)]) ++yes;
        }
        return 3 * yes >= 2 * standing;
    }

    function _isPossible(Ballot storage ballot) private view returns (bool) {
        if (ballot.kind == ProposalKind.SuspendCity) {
            return !modelSuspended[ballot.city] && standingCount() > 1;
        }
        return ballot.kind != ProposalKind.ReinstateCity || modelSuspended[ballot.city];
    }

    function _governOf(uint256 who) private pure returns (address) {
        return accountOf(cityAt(who), KeyRole.Govern);
    }
}

contract MembershipInvariantTest {
    MembershipHandler private handler;

    function setUp() public {
        handler = new MembershipHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = MembershipHandler.propose.selector;
        selectors[1] = MembershipHandler.vote.selector;
        selectors[2] = MembershipHandler.carry.selector;
        selectors[3] = MembershipHandler.execute.selector;
        selectors[4] = MembershipHandler.meddle.selector;
        selectors[5] = MembershipHandler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_onlyVotesChangeMembersAndContracts() external view {
        require(handler.membership().members().length == 4, "members");
        uint256 standing;
        for (uint256 i = 0; i < 4; ++i) {
            uint32 city = handler.cityAt(i);
            bool good = handler.membership().inGoodStanding(city);
            require(good == !handler.modelSuspended(city), "standing");
            if (good) ++standing;
        }
        require(standing >= 1, "nobody left");
        _requireCurrent(ContractRole.Grants, handler.modelGrants());
        _requireCurrent(ContractRole.CityLog, address(handler.log()));
        _requireCurrent(ContractRole.MaterialStatus, address(handler.status()));
    }

    function afterInvariant() external view {
        if (!handler.isWholeRun()) return;
        require(handler.refused() >= 1, "nothing refused");
    }

    function test_execute_isReachedByTheHandler() external {
        handler.propose(0, 0, 3);
        handler.carry(0, 5);
        require(handler.executed() == 1 && handler.modelSuspended(handler.cityAt(3)), "suspend");
        handler.propose(0, 2, 0);
        handler.carry(1, 0);
        require(handler.executed() == 2, "two of three are two thirds");
        handler.propose(1, 1, 3);
        handler.execute(2, 1);
        require(handler.executed() == 2 && handler.refused() == 1, "no votes, no execution");
    }

    function _requireCurrent(ContractRole role, address contractAddress) private view {
        require(handler.membership().isCurrent(role, contractAddress), "contract");
    }
}
