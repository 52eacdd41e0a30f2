// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Points that a shop hands to its customers, who pass them on or spend them.
contract Points {
    string public name;
    uint256 public total;
    mapping(address => uint256) public balanceOf;
    mapping(address => uint256[]) private history;

    event Moved(address indexed from, address indexed to, uint256 amount);

    error Short(uint256 has, uint256 needs);

    constructor(string memory label, uint256 supply) {
        name = label;
        total = supply;
        balanceOf[msg.sender] = supply;
    }

    function give(address to, uint256 amount) external returns (bool) {
        _take(amount);
        balanceOf[to] += amount;
        history[to].push(amount);
        emit Moved(msg.sender, to, amount);
        return true;
    }

    function spend(uint256 amount) external {
        _take(amount);
        total -= amount;
        emit Moved(msg.sender, address(0), amount);
    }

    function gifts(address who) external view returns (uint256) {
        return history[who].length;
    }

    function _take(uint256 amount) private {
        uint256 has = balanceOf[msg.sender];
        if (has < amount) revert Short(has, amount);
        balanceOf[msg.sender] = has - amount;
    }
}
