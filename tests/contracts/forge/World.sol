// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CityLog} from "../../../contracts/CityLog.sol";
import {Grants} from "../../../contracts/Grants.sol";
import {MaterialStatus} from "../../../contracts/MaterialStatus.sol";
import {Membership} from "../../../contracts/Membership.sol";
import {ICityLog} from "../../../contracts/interfaces/ICityLog.sol";
import {ContractRole, Founder, KeyRole, ProposalKind} from "../../../contracts/types/Types.sol";

/// @dev The few cheat codes that are used; no library is needed for them.
interface Vm {
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
}

/// @dev What the test runner reads to learn whom to call.
struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}

/// @title Four cities and the four contracts, and a vote in one call
contract World {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint32 internal constant CITIES = 4;

    Membership public membership;
    CityLog public log;
    MaterialStatus public status;
    Grants public grants;

    uint256 public calls;

    /// @dev Floors count only in whole runs: a failing sequence is shrunk, and a floor that failed
    /// on the short rest would hide the reason.
    modifier counted() {
        ++calls;
        _;
    }

    constructor() {
        vm.warp(1_800_000_000);
        Founder[] memory founders = new Founder[](CITIES);
        for (uint32 i = 0; i < CITIES; ++i) {
            founders[i] = Founder(cityAt(i), "http://127.0.0.1", keysOf(cityAt(i)));
        }
        membership = new Membership(founders, 1 days, 7 days);
        log = new CityLog(membership, ICityLog(address(0)));
        status = new MaterialStatus(membership);
        grants = new Grants(membership);
        register(ContractRole.CityLog, address(log));
        register(ContractRole.MaterialStatus, address(status));
        register(ContractRole.Grants, address(grants));
    }

    function cityAt(uint256 index) public pure returns (uint32) {
        return 100_001 + uint32(index % CITIES);
    }

    function accountOf(uint32 city, KeyRole role) public pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(city, role)))));
    }

    function keysOf(uint32 city) public pure returns (bytes32[7] memory keys) {
        for (uint256 i = 0; i < 7; ++i) {
            keys[i] = i < 3
                ? bytes32(uint256(uint160(accountOf(city, KeyRole(i)))))
                : keccak256(abi.encode("key", city, i));
        }
    }

    function register(ContractRole role, address contractAddress) public {
        decide(ProposalKind.RegisterContract, abi.encode(role, contractAddress, uint64(0)));
    }

    /// @dev All members in good standing vote for it.
    function decide(ProposalKind kind, bytes memory payload) public {
        uint64 id;
        for (uint256 i = 0; i < CITIES; ++i) {
            if (!membership.inGoodStanding(cityAt(i))) continue;
            address govern = accountOf(cityAt(i), KeyRole.Govern);
            if (id == 0) {
                vm.prank(govern);
                id = membership.propose(kind, payload, bytes32(0));
            }
            vm.prank(govern);
            membership.vote(id, true);
        }
        for (uint256 i = 0; i < CITIES; ++i) {
            if (!membership.inGoodStanding(cityAt(i))) continue;
            vm.prank(accountOf(cityAt(i), KeyRole.Govern));
            membership.execute(id);
            return;
        }
    }

    function isWholeRun() external view returns (bool) {
        return calls >= 50;
    }

    function standingCount() public view returns (uint256 count) {
        for (uint256 i = 0; i < CITIES; ++i) {
            if (membership.inGoodStanding(cityAt(i))) ++count;
        }
    }

    /// @dev Turns a member's standing by vote; at most one is suspended at a time, so that most
    /// calls still have a chance.
    function turnStanding(uint32 city) public {
        if (!membership.inGoodStanding(city)) {
            decide(ProposalKind.ReinstateCity, abi.encode(city));
        } else if (standingCount() == CITIES) {
            decide(ProposalKind.SuspendCity, abi.encode(city));
        }
    }
}
