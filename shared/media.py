"""How ffmpeg and ffprobe are called: never over a network, never following a file that points at others."""

from pathlib import Path

# What a lecture comes in. Playlists (hls, concat, dash ...) and image sequences are left out on purpose: they make
# ffmpeg open other files. `-format_whitelist` names demuxers, `-protocol_whitelist` the ways to reach bytes.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,mp3,wav,w64,aiff,flac,ogg,aac,ac3,amr,caf"
)
PROTOCOLS = "file,pipe"


def media_input(path: Path) -> list[str]:
    """Arguments that open `path` as an input, safely. The path is absolute so that no name is read as an option."""
    return ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", DEMUXERS, "-i", f"file:{path.resolve()}"]
