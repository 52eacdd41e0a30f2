// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "./ERC20.sol";

/// A token whose allowances can be given by a signature (ERC-2612), so that the owner sends no transaction for it.
contract PermitToken is ERC20 {
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    // Of the lower half of the curve's order: of two signatures that are right, only one is accepted.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes32 public immutable DOMAIN_SEPARATOR;
    mapping(address => uint256) public nonces;

    error Expired(uint256 deadline);
    error WrongSigner(address signer, address owner);

    constructor(string memory name_, string memory symbol_, uint256 supply) ERC20(name_, symbol_, supply) {
        DOMAIN_SEPARATOR = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name_)), keccak256("1"), block.chainid, address(this))
        );
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert Expired(deadline);
        bytes32 message = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR, message));
        address signer = uint256(s) <= HALF_ORDER ? ecrecover(digest, v, r, s) : address(0);
        if (signer == address(0) || signer != owner) revert WrongSigner(signer, owner);
        _approve(owner, spender, value);
    }
}

/// A shop that is paid in one transaction: the buyer signs a permit, and this spends it.
contract Checkout {
    PermitToken public immutable token;
    address public immutable seller;
    uint256 public orders;
    mapping(address => uint256) public paid;

    constructor(PermitToken token_, address seller_) {
        token = token_;
        seller = seller_;
    }

    function buy(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        token.permit(msg.sender, address(this), value, deadline, v, r, s);
        require(token.transferFrom(msg.sender, seller, value), "transfer failed");
        orders += 1;
        paid[msg.sender] += value;
    }
}
