// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ICityLog} from "../interfaces/ICityLog.sol";
import {IMembership} from "../interfaces/IMembership.sol";
import {ContractRole} from "../types/Types.sol";

/// @title Exactly one current contract per role from a block on
/// @dev Within one block the answer never changes, except for a role's very first contract.
abstract contract CurrentContracts is IMembership {
    struct Registration {
        address contractAddress;
        uint64 fromBlock;
    }

    mapping(ContractRole => Registration) private _latest;
    mapping(ContractRole => address) private _before; // current until the latest one's block
    mapping(address contractAddress => bool) private _registered;

    /// @inheritdoc IMembership
    function currentContract(ContractRole role) public view returns (address) {
        Registration memory latest = _latest[role];
        return block.number >= latest.fromBlock ? latest.contractAddress : _before[role];
    }

    /// @inheritdoc IMembership
    function isCurrent(ContractRole role, address contractAddress) public view returns (bool) {
        return contractAddress != address(0) && currentContract(role) == contractAddress;
    }

    /// @dev The look into the contract itself keeps a mistaken vote from cutting a city's log: what
    /// follows a CityLog must read its heads.
    function _checkRegistration(ContractRole role, address contractAddress) internal view {
        if (contractAddress.code.length == 0) revert MembershipNotAContract(contractAddress);
        if (_registered[contractAddress]) revert MembershipContractUsed(contractAddress);
        try ICityLog(contractAddress).membership() returns (IMembership membership) {
            if (address(membership) != address(this)) {
                revert MembershipForeignContract(contractAddress);
            }
        } catch {
            revert MembershipForeignContract(contractAddress);
        }
        if (role != ContractRole.CityLog) return;
        address predecessor = address(ICityLog(contractAddress).predecessor());
        if (predecessor != currentContract(role)) {
            revert MembershipWrongPredecessor(contractAddress, predecessor);
        }
    }

    function _register(ContractRole role, address contractAddress, uint64 fromBlock) internal {
        address current = currentContract(role);
        uint64 earliest = uint64(block.number) + (current == address(0) ? 0 : 1);
        if (fromBlock < earliest) fromBlock = earliest;
        _before[role] = current;
        _latest[role] = Registration(contractAddress, fromBlock);
        _registered[contractAddress] = true;
        emit ContractRegistered(uint8(role), contractAddress, fromBlock);
    }
}
