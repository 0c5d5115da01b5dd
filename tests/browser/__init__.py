"""The moderation page in a real browser."""
