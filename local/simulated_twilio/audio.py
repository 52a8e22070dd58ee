"""The sound of a simulated recording: a second of tone as WAV, a second of silence as MP3."""

import io
import math
import struct
import wave

_RATE = 8000
_MP3_FRAMES_PER_SECOND = 38
# MPEG-1 Layer III at 32 kbit/s and 44.1 kHz: 144 * 32000 / 44100 bytes a frame.
_MP3_FRAME_BYTES = 104


def wav(channels: int) -> bytes:
    """16-bit PCM at 8 kHz."""
    tone = (int(8000 * math.sin(2 * math.pi * 440 * i / _RATE)) for i in range(_RATE))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(b"".join(struct.pack("<h", sample) * channels for sample in tone))
    return buffer.getvalue()


def mp3(channels: int) -> bytes:
    """Frames whose side information is all zero decode as silence."""
    channel_mode = b"\xc0" if channels == 1 else b"\x00"
    header = b"\xff\xfb\x10" + channel_mode
    return header.ljust(_MP3_FRAME_BYTES, b"\x00") * _MP3_FRAMES_PER_SECOND
