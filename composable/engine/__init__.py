"""Every training call goes through here: one network, or one rotation of rows after another, on any backend."""
