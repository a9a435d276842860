// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IMembership} from "../interfaces/IMembership.sol";
import {KeyRole} from "../types/Types.sol";

/// @title Standing, key histories and URLs of the members, and their delayed changes
/// @dev A key belongs to one city and role for ever, so one slot per key tells everything a caller
/// must be checked for. Within one (city, role) the intervals of its keys never overlap, and only
/// the last one can lie in the future.
abstract contract MemberKeys is IMembership {
    uint64 internal constant OPEN_END = type(uint64).max;

    uint256 private constant MAX_URL_BYTES = 200;
    uint32 private constant LOWEST_DIVISION_CODE = 100_000;
    uint32 private constant HIGHEST_DIVISION_CODE = 999_999;

    enum Standing {
        Unknown,
        Good,
        Suspended
    }

    struct KeyRecord {
        uint32 city;
        KeyRole role;
        uint64 validFrom;
        uint64 validUntil;
        uint64 distrustedSinceBlock;
    }

    struct Change {
        uint32 city;
        bool cancelled;
        uint64 validFrom;
        bytes32 key; // zero: a change of URL
    }

    struct Urls {
        string current;
        string next;
        uint64 nextFrom; // 0: there is no next
        uint64 changeId;
    }

    /// @inheritdoc IMembership
    uint64 public immutable keyChangeDelay_s;

    uint32[] internal _members;
    mapping(uint32 city => Standing) internal _standing;

    mapping(bytes32 key => KeyRecord) private _records;
    mapping(uint32 city => mapping(KeyRole => bytes32[])) private _histories;
    mapping(bytes32 key => uint64) private _changeOfKey;
    mapping(uint32 city => Urls) private _urls;
    mapping(uint64 changeId => Change) private _changes;
    uint64 private _changeCount;

    constructor(uint64 delay_s) {
        if (delay_s == 0) revert MembershipZeroPeriod();
        keyChangeDelay_s = delay_s;
    }

    /// @inheritdoc IMembership
    function announceKey(KeyRole role, bytes32 key) external returns (uint64 changeId) {
        uint32 city = cityOfAccount(msg.sender, KeyRole.Govern);
        _checkKey(role, key);
        bytes32 last = _lastKey(city, role);
        if (_records[last].validFrom > block.timestamp) {
            revert MembershipChangePending(_changeOfKey[last]);
        }
        changeId = _openChange(city, key);
        _changeOfKey[key] = changeId;
        _startKey(city, role, key, _changes[changeId].validFrom, changeId);
    }

    /// @inheritdoc IMembership
    function announceUrl(string calldata url) external returns (uint64 changeId) {
        uint32 city = cityOfAccount(msg.sender, KeyRole.Govern);
        _checkUrl(url);
        Urls storage urls = _urls[city];
        if (urls.nextFrom > block.timestamp) revert MembershipChangePending(urls.changeId);
        if (urls.nextFrom != 0) urls.current = urls.next;
        changeId = _openChange(city, bytes32(0));
        uint64 validFrom = _changes[changeId].validFrom;
        urls.next = url;
        urls.nextFrom = validFrom;
        urls.changeId = changeId;
        emit UrlAnnounced(city, url, validFrom, changeId);
    }

    /// @inheritdoc IMembership
    function cancelChange(uint64 changeId) external {
        KeyRole role = _records[_keyOf(msg.sender)].role;
        if (role > KeyRole.Govern) revert MembershipNotAuthorised(msg.sender, role);
        uint32 city = cityOfAccount(msg.sender, role);
        _checkCancellation(changeId);
        if (_changes[changeId].city != city) revert MembershipForeignChange(changeId, city);
        _cancelChange(changeId);
    }

    /// @inheritdoc IMembership
    function cityOfAccount(address account, KeyRole role) public view returns (uint32 city) {
        KeyRecord memory held = _records[_keyOf(account)];
        bool inForce =
            held.validFrom <= block.timestamp && block.timestamp < held.validUntil;
        if (held.city == 0 || held.role != role || !inForce) {
            revert MembershipNotAuthorised(account, role);
        }
        if (held.distrustedSinceBlock != 0) {
            revert MembershipKeyDistrusted(_keyOf(account), held.distrustedSinceBlock);
        }
        return held.city;
    }

    /// @inheritdoc IMembership
    function keyAt(uint32 city, KeyRole role, uint64 timestamp_s)
        public
        view
        returns (bytes32 key, uint64 validFrom, uint64 distrustedSinceBlock)
    {
        bytes32[] storage history = _histories[city][role];
        for (uint256 i = history.length; i != 0; --i) {
            KeyRecord storage held = _records[history[i - 1]];
            if (held.validFrom <= timestamp_s && timestamp_s < held.validUntil) {
                return (history[i - 1], held.validFrom, held.distrustedSinceBlock);
            }
        }
    }

    /// @inheritdoc IMembership
    function currentKey(uint32 city, KeyRole role)
        external
        view
        returns (bytes32 key, uint64 validFrom, uint64 distrustedSinceBlock)
    {
        return keyAt(city, role, uint64(block.timestamp));
    }

    /// @inheritdoc IMembership
    function urlOf(uint32 city) external view returns (string memory) {
        Urls storage urls = _urls[city];
        bool nextCounts = urls.nextFrom != 0 && urls.nextFrom <= block.timestamp;
        return nextCounts ? urls.next : urls.current;
    }

    /// @inheritdoc IMembership
    function members() external view returns (uint32[] memory) {
        return _members;
    }

    /// @inheritdoc IMembership
    function isMember(uint32 city) external view returns (bool) {
        return _standing[city] != Standing.Unknown;
    }

    /// @inheritdoc IMembership
    function inGoodStanding(uint32 city) public view returns (bool) {
        return _standing[city] == Standing.Good;
    }

    function _requireGoodStanding(uint32 city) internal view {
        if (_standing[city] == Standing.Unknown) revert MembershipNotMember(city);
        if (_standing[city] != Standing.Good) revert MembershipNotInGoodStanding(city);
    }

    function _checkAdmission(uint32 city, string memory url, bytes32[7] memory keys)
        internal
        view
    {
        if (city < LOWEST_DIVISION_CODE || city > HIGHEST_DIVISION_CODE) {
            revert MembershipBadCity(city);
        }
        if (_standing[city] != Standing.Unknown) revert MembershipAlreadyMember(city);
        _checkUrl(url);
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkKey(KeyRole(i), keys[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (keys[i] == keys[j]) revert MembershipKeyUsed(keys[i]);
            }
        }
    }

    function _admit(uint32 city, string memory url, bytes32[7] memory keys) internal {
        _members.push(city);
        _standing[city] = Standing.Good;
        _urls[city].current = url;
        emit MemberAdmitted(city, url);
        for (uint256 i = 0; i < keys.length; ++i) {
            _startKey(city, KeyRole(i), keys[i], uint64(block.timestamp), 0);
        }
    }

    function _checkReplacement(uint32 city, KeyRole role, bytes32 key) internal view {
        if (_standing[city] == Standing.Unknown) revert MembershipNotMember(city);
        _checkKey(role, key);
    }

    /// @dev An announced key that has not taken effect goes with the one it would have followed.
    function _replaceKey(uint32 city, KeyRole role, bytes32 key) internal {
        bytes32 last = _lastKey(city, role);
        if (_records[last].validFrom > block.timestamp) _cancelChange(_changeOfKey[last]);
        _startKey(city, role, key, uint64(block.timestamp), 0);
    }

    function _checkDistrust(uint32 city, KeyRole role, bytes32 key, uint64 sinceBlock)
        internal
        view
    {
        KeyRecord storage held = _records[key];
        if (held.city == 0 || held.city != city || held.role != role) {
            revert MembershipUnknownKey(city, role, key);
        }
        if (sinceBlock == 0 || sinceBlock > block.number) {
            revert MembershipBadSinceBlock(sinceBlock);
        }
        uint64 already = held.distrustedSinceBlock;
        if (already != 0 && already <= sinceBlock) {
            revert MembershipAlreadyDistrusted(key, already);
        }
    }

    function _distrustKey(uint32 city, KeyRole role, bytes32 key, uint64 sinceBlock) internal {
        _records[key].distrustedSinceBlock = sinceBlock;
        emit KeyDistrusted(city, uint8(role), key, sinceBlock);
    }

    function _checkCancellation(uint64 changeId) internal view {
        Change storage change = _changes[changeId];
        if (change.city == 0) revert MembershipUnknownChange(changeId);
        if (change.cancelled || change.validFrom <= block.timestamp) {
            revert MembershipChangeClosed(changeId);
        }
    }

    /// @dev A cancelled key keeps its record with an empty interval: it is never in force and never
    /// accepted again.
    function _cancelChange(uint64 changeId) internal {
        Change storage change = _changes[changeId];
        change.cancelled = true;
        bytes32 key = change.key;
        if (key == bytes32(0)) {
            _urls[change.city].nextFrom = 0;
        } else {
            KeyRecord storage held = _records[key];
            held.validUntil = held.validFrom;
            _histories[change.city][held.role].pop();
            _records[_lastKey(change.city, held.role)].validUntil = OPEN_END;
        }
        emit ChangeCancelled(changeId, change.city);
    }

    function _openChange(uint32 city, bytes32 key) private returns (uint64 changeId) {
        changeId = ++_changeCount;
        _changes[changeId] = Change(city, false, uint64(block.timestamp) + keyChangeDelay_s, key);
    }

    function _startKey(
        uint32 city,
        KeyRole role,
        bytes32 key,
        uint64 validFrom,
        uint64 changeId
    ) private {
        bytes32[] storage history = _histories[city][role];
        if (history.length != 0) _records[history[history.length - 1]].validUntil = validFrom;
        history.push(key);
        _records[key] = KeyRecord(city, role, validFrom, OPEN_END, 0);
        emit KeyAnnounced(city, uint8(role), key, validFrom, changeId);
    }

    function _checkKey(KeyRole role, bytes32 key) private view {
        bool isAccountRole = role <= KeyRole.Govern;
        if (key == bytes32(0) || (isAccountRole && uint256(key) >> 160 != 0)) {
            revert MembershipBadKey(role, key);
        }
        if (_records[key].city != 0) revert MembershipKeyUsed(key);
    }

    function _checkUrl(string memory url) private pure {
        uint256 length_bytes = bytes(url).length;
        if (length_bytes == 0 || length_bytes > MAX_URL_BYTES) {
            revert MembershipBadUrl(length_bytes);
        }
    }

    /// @dev Every member has a key in every role since its admission.
    function _lastKey(uint32 city, KeyRole role) private view returns (bytes32) {
        bytes32[] storage history = _histories[city][role];
        return history[history.length - 1];
    }

    function _keyOf(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
