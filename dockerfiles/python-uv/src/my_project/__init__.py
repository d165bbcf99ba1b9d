"""Packs telescope readings as MessagePack."""
