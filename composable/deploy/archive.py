"""The `.keras` archive, checked before it is unpacked: exactly three plain members of a believable size."""

from __future__ import annotations

import io
import stat
import zipfile

from composable.core.errors import ArtifactError

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
TOTAL_BYTES = 2 * 2**30
EXPANSION = 100  # Keras stores members as they are; anything beyond this is a decompression bomb
SMALL = 2**20  # members below this can't hurt, however well they compress


def checked_members(content: bytes, origin: str) -> dict[str, bytes]:
    """The members of a `.keras` file, by name.

    Raises:
        ArtifactError: If it's no zip archive, or its members aren't exactly `MEMBERS` within the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive.infolist(), origin)
            return {name: archive.read(name) for name in MEMBERS}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as broken:
        if isinstance(broken, ArtifactError):
            raise
        raise _refusal(origin, f"no readable archive ({broken})") from broken


def _check(members: list[zipfile.ZipInfo], origin: str) -> None:
    if len(members) != len(MEMBERS):
        raise _refusal(origin, f"{len(members)} members")
    names = [member.filename for member in members]
    if odd := sorted(set(names) - set(MEMBERS)):
        raise _refusal(origin, f"the member {odd[0][:100]!r}")
    if len(set(names)) != len(names):
        raise _refusal(origin, "two members of one name")
    if sum(member.file_size for member in members) > TOTAL_BYTES:
        raise _refusal(origin, f"more than {TOTAL_BYTES} bytes unpacked")
    for member in members:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _refusal(origin, f"{member.filename!r} is a link or a special file")
        if member.file_size > max(SMALL, EXPANSION * member.compress_size):
            raise _refusal(
                origin, f"{member.filename!r} unpacks {member.compress_size} bytes to {member.file_size}"
            )


def _refusal(origin: str, found: str) -> ArtifactError:
    return ArtifactError(
        f"A .keras file is a zip archive of exactly {', '.join(MEMBERS)}.",
        received=f"{origin}: {found}",
        remedy="load only files that Composable wrote and that nobody altered since",
    )
