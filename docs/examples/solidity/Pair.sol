// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "./ERC20.sol";

/// A library with a contract of its own, to which its users are linked.
library Roots {
    /// The integer square root, by Newton's method from above.
    function sqrt(uint256 value) external pure returns (uint256 root) {
        if (value == 0) return 0;
        root = value;
        uint256 next = value / 2 + 1;
        while (next < root) {
            root = next;
            next = (value / next + next) / 2;
        }
    }
}

/// A pool of two tokens whose reserves' product no swap lets fall; 0.3 % of what comes in stays for the liquidity.
contract Pair is ERC20 {
    uint256 private constant FEE = 3;
    uint256 private constant WHOLE = 1000;

    ERC20 public immutable token0;
    ERC20 public immutable token1;
    // One slot, as in most pools: whoever trades reads and writes it.
    uint112 public reserve0;
    uint112 public reserve1;
    uint32 public lastTrade;

    event Swap(address indexed sender, address indexed tokenIn, uint256 amountIn, uint256 amountOut);

    error TooLittle(uint256 amount, uint256 least);

    constructor(ERC20 first, ERC20 second) ERC20("Liquidity", "LIQ", 0) {
        token0 = first;
        token1 = second;
    }

    function swap(ERC20 tokenIn, uint256 amountIn, uint256 least) external returns (uint256 amountOut) {
        bool zeroIn = tokenIn == token0;
        require(zeroIn || tokenIn == token1, "not a token of this pair");
        (uint256 reserveIn, uint256 reserveOut) = zeroIn ? (reserve0, reserve1) : (reserve1, reserve0);
        uint256 kept = amountIn * (WHOLE - FEE);
        amountOut = kept * reserveOut / (reserveIn * WHOLE + kept);
        if (amountOut < least || amountOut == 0) revert TooLittle(amountOut, least);
        _pull(tokenIn, amountIn);
        require((zeroIn ? token1 : token0).transfer(msg.sender, amountOut), "transfer failed");
        (uint256 left0, uint256 left1) = zeroIn
            ? (reserveIn + amountIn, reserveOut - amountOut)
            : (reserveOut - amountOut, reserveIn + amountIn);
        _update(left0, left1);
        emit Swap(msg.sender, address(tokenIn), amountIn, amountOut);
    }

    /// Adds both tokens in the reserves' proportion; of the second, at most so much.
    function addLiquidity(uint256 amount0, uint256 most1) external returns (uint256 shares) {
        uint256 amount1;
        if (totalSupply == 0) {
            amount1 = most1;
            shares = Roots.sqrt(amount0 * amount1);
        } else {
            // Rounded up, so that those who were there before lose nothing.
            amount1 = (amount0 * reserve1 + reserve0 - 1) / reserve0;
            shares = amount0 * totalSupply / reserve0;
        }
        if (amount1 > most1) revert TooLittle(most1, amount1);
        _pull(token0, amount0);
        _pull(token1, amount1);
        _mint(msg.sender, shares);
        _update(reserve0 + amount0, reserve1 + amount1);
    }

    function removeLiquidity(uint256 shares) external returns (uint256 amount0, uint256 amount1) {
        amount0 = shares * reserve0 / totalSupply;
        amount1 = shares * reserve1 / totalSupply;
        _burn(msg.sender, shares);
        require(token0.transfer(msg.sender, amount0) && token1.transfer(msg.sender, amount1), "transfer failed");
        _update(reserve0 - amount0, reserve1 - amount1);
    }

    /// How much liquidity a share stands for, in 10**-18: it begins with one, and fees let it grow.
    function liquidityPerShare() external view returns (uint256) {
        return Roots.sqrt(uint256(reserve0) * reserve1) * 1e18 / totalSupply;
    }

    function _pull(ERC20 token, uint256 amount) private {
        require(token.transferFrom(msg.sender, address(this), amount), "transfer failed");
    }

    function _update(uint256 left0, uint256 left1) private {
        require(left0 <= type(uint112).max && left1 <= type(uint112).max, "reserves are full");
        reserve0 = uint112(left0);
        reserve1 = uint112(left1);
        lastTrade = uint32(block.timestamp);
    }
}
