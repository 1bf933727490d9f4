"""The names of containers and codecs: those of ffprobe, for the formats that libmediainfo names."""

from __future__ import annotations

import re

from .parser import Track, format_of

# libmediainfo's format (lower case) -> the common short name
_CONTAINERS = {
    "ac-3": "ac3",
    "adts": "aac",
    "aiff": "aiff",
    "avi": "avi",
    "bdav": "mpegts",
    "dsdiff": "dff",
    "dsf": "dsf",
    "dts": "dts",
    "e-ac-3": "eac3",
    "flac": "flac",
    "flash video": "flv",
    "matroska": "matroska",
    "monkey's audio": "ape",
    "mpeg audio": "mp3",
    "mpeg video": "mpeg",
    "mpeg-4": "mp4",
    "mpeg-ps": "mpeg",
    "mpeg-ts": "mpegts",
    "musepack": "mpc",
    "ogg": "ogg",
    "realmedia": "rm",
    "rf64": "wav",
    "wave": "wav",
    "wave64": "wav",
    "wavpack": "wavpack",
    "webm": "webm",
    "windows media": "asf",
}
_VIDEO = {
    "apple video": "rpza",
    "av1": "av1",
    "avc": "h264",
    "avs": "cavs",
    "cineform": "cfhd",
    "cinepak": "cinepak",
    "dv": "dvvideo",
    "h.261": "h261",
    "h.263": "h263",
    "hevc": "hevc",
    "huffyuv": "huffyuv",
    "indeo 2": "indeo2",
    "indeo 3": "indeo3",
    "indeo 4": "indeo4",
    "indeo 5": "indeo5",
    "jpeg": "mjpeg",
    "jpeg 2000": "jpeg2000",
    "microsoft rle": "msrle",
    "microsoft video 1": "msvideo1",
    "mpeg-4 visual": "mpeg4",
    "png": "png",
    "prores": "prores",
    "realvideo 1": "rv10",
    "realvideo 2": "rv20",
    "realvideo 3": "rv30",
    "realvideo 4": "rv40",
    "rgb": "rawvideo",
    "rle": "qtrle",
    "screen video": "flashsv",
    "screen video 2": "flashsv2",
    "sorenson 1": "svq1",
    "sorenson 3": "svq3",
    "sorenson spark": "flv1",
    "theora": "theora",
    "vc-1": "vc1",
    "vc-3": "dnxhd",
    "vp6": "vp6",
    "vp7": "vp7",
    "vp8": "vp8",
    "vp9": "vp9",
    "vvc": "vvc",
    "wmv": "wmv3",
    "xvid": "mpeg4",
    "yuv": "rawvideo",
    "zip": "zmbv",
}
_VIDEO_BY_ID = {
    **dict.fromkeys(("div1", "mp41", "mpg4"), "msmpeg4v1"),
    **dict.fromkeys(("div2", "mp42", "v_mpeg4/ms/v2"), "msmpeg4v2"),
    **dict.fromkeys(("ap41", "col0", "col1", "div3", "div4", "div5", "div6"), "msmpeg4v3"),
    **dict.fromkeys(("mp43", "mpg3", "v_mpeg4/ms/v3"), "msmpeg4v3"),
    **dict.fromkeys(("ulra", "ulrg", "uly0", "uly2", "uly4", "ulh0", "ulh2", "ulh4"), "utvideo"),
    "4": "vp6f",  # in Flash video
    "5": "vp6a",
    "ffvh": "ffvhuff",
    "vp6a": "vp6a",
    "vp6f": "vp6f",
    "wmv3": "wmv3",
}
_AUDIO = {
    "ac-3": "ac3",
    "ac-4": "ac4",
    "acelp": "sipr",
    "adpcm": "adpcm",
    "alac": "alac",
    "als": "mp4als",
    "amr": "amr_nb",
    "atrac": "atrac1",
    "atrac3": "atrac3",
    "atrac3plus": "atrac3p",
    "cooker": "cook",
    "dst": "dst",
    "dts": "dts",
    "e-ac-3": "eac3",
    "flac": "flac",
    "gsm": "gsm",
    "ld-celp": "ra_288",
    "mace 3": "mace3",
    "mace 6": "mace6",
    "mlp": "mlp",
    "mlp fba": "truehd",
    "monkey's audio": "ape",
    "musepack sv7": "musepack7",
    "musepack sv8": "musepack8",
    "nellymoser": "nellymoser",
    "opus": "opus",
    "qdesign 1": "qdmc",
    "qdesign 2": "qdm2",
    "qcelp": "qcelp",
    "realaudio lossless": "ralf",
    "speex": "speex",
    "tak": "tak",
    "truehd": "truehd",
    "truespeech": "truespeech",
    "tta": "tta",
    "usac": "aac",
    "vorbis": "vorbis",
    "vselp": "ra_144",
    "wavpack": "wavpack",
    "wma": "wmav2",
}
_AUDIO_BY_ID = {
    ("adpcm", "1"): "adpcm_swf",  # in Flash video
    ("adpcm", "2"): "adpcm_ms",
    ("adpcm", "11"): "adpcm_ima_wav",
    ("adpcm", "45"): "adpcm_g726",
    ("adpcm", "ima4"): "adpcm_ima_qt",
    ("ogg", "mp4a-dd"): "vorbis",
    ("wma", "160"): "wmav1",
    ("wma", "161"): "wmav2",
    ("wma", "162"): "wmapro",
    ("wma", "163"): "wmalossless",
    ("wma", "a"): "wmavoice",
}
_LAYERS = {"layer 1": "mp1", "layer 2": "mp2", "layer 3": "mp3"}
_LAYERS_BY_ID = {"50": "mp2", "a_mpeg/l1": "mp1", "a_mpeg/l2": "mp2"}
_SUBTITLES = {
    "arib std b24/b37": "arib_caption",
    "ass": "ass",
    "c608": "eia_608",
    "cea-608": "eia_608",
    "dvb subtitle": "dvb_subtitle",
    "eia-608": "eia_608",
    "hdmv text": "hdmv_text_subtitle",
    "pgs": "hdmv_pgs_subtitle",
    "rle": "dvd_subtitle",
    "ssa": "ass",
    "subrip": "subrip",
    "teletext": "dvb_teletext",
    "timed text": "mov_text",
    "ttml": "ttml",
    "utf-8": "subrip",
    "vobsub": "dvd_subtitle",
    "webvtt": "webvtt",
    "xsub": "xsub",
}


def container_of(general: Track | None) -> str | None:
    """Name a file's container."""
    if general is None or not format_of(general):
        return None
    profile = str(general.get("Format_Profile") or "").lower()
    if format_of(general) == "mpeg-4" and profile.startswith(("quicktime", "3gpp")):
        return "mov" if profile.startswith("quicktime") else "3gp"
    if format_of(general) == "mpeg audio":
        return _LAYERS.get(profile, "mp3")
    return _short(_CONTAINERS, general)


def video_codec(video: Track) -> str | None:
    """Name the codec of a video stream or a picture."""
    if format_of(video) == "mpeg video":
        version = str(video.get("Format_Version") or "")
        return "mpeg1video" if version.endswith("1") else "mpeg2video"
    return _VIDEO_BY_ID.get(_codec_id(video)) or _short(_VIDEO, video)


def audio_codec(audio: Track) -> str | None:
    """Name the codec of an audio stream."""
    said, profile = format_of(audio), str(audio.get("Format_Profile") or "").lower()
    if said == "mpeg audio":
        return _LAYERS.get(profile) or _LAYERS_BY_ID.get(_codec_id(audio), "mp3")
    if said == "pcm":
        return _pcm(audio, profile)
    if said.startswith("aac"):
        return "aac_latm" if audio.get("MuxingMode") == "LATM" else "aac"
    if said == "adpcm" and profile in ("a-law", "u-law"):
        return "pcm_alaw" if profile == "a-law" else "pcm_mulaw"
    if said == "amr" and profile.startswith("wide"):
        return "amr_wb"
    if said == "dsd":
        is_little = audio.get("Format_Settings_Endianness") == "Little"
        return "dsd_lsbf_planar" if is_little else "dsd_msbf"
    family = said.partition(" ")[0]
    return _AUDIO_BY_ID.get((family, _codec_id(audio))) or _short(_AUDIO, audio)


def _pcm(audio: Track, profile: str) -> str:
    """Name the form of uncompressed samples: pcm_s16le is signed, 16 bits, little-endian."""
    if audio.get("MuxingMode") in ("DVD-Video", "Blu-ray"):
        return "pcm_dvd" if audio["MuxingMode"] == "DVD-Video" else "pcm_bluray"
    bits = str(audio.get("BitDepth") or "16").partition(" ")[0]
    is_float = (
        profile == "float"
        or "FLOAT" in str(audio.get("CodecID"))
        or _codec_id(audio) in ("fl32", "fl64")
    )
    sign = "f" if is_float else "u" if audio.get("Format_Settings_Sign") == "Unsigned" else "s"
    if bits == "8":
        return f"pcm_{sign}8"
    end = "be" if audio.get("Format_Settings_Endianness") == "Big" else "le"
    return f"pcm_{sign}{bits}{end}"


def subtitle_codec(subtitle: Track) -> str | None:
    """Name the codec of a subtitle stream."""
    id = _codec_id(subtitle)
    if id.startswith(("d_webvtt", "s_text/webvtt")) or id == "wvtt":
        return "webvtt"
    if id in ("tx3g", "text", "sbtl") or not format_of(subtitle) and subtitle.get("MuxingMode"):
        return "mov_text"
    return _short(_SUBTITLES, subtitle)


def _codec_id(track: Track) -> str:
    """Return the container's name for a codec, such as "mp43"; Matroska puts more before it."""
    return str(track.get("CodecID") or "").rpartition(" / ")[2].strip().lower()


def _short(names: dict[str, str], track: Track) -> str | None:
    """Look the format up, also without its trailing words ("DTS XLL", "MLP FBA 16-ch")."""
    said = format_of(track).removeprefix("v_").removeprefix("a_").split()
    for count in range(len(said), 0, -1):
        name = names.get(" ".join(said[:count]))
        if name:
            return name
    return re.sub(r"[^a-z0-9]+", "", "".join(said)) or None
