"""Every training call goes through here, on any backend."""
