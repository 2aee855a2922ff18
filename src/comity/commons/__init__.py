"""What the network shares and signs: the standard and the member directory. See `commons.commons`."""
