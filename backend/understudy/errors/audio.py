"""Defines the errors of recordings."""

from understudy.errors.base import Refused, TooLarge, UnderstudyError


class AudioTooLong(TooLarge):
    code = "audio_too_long"
    title = "The recording is too long"


class NotAudio(UnderstudyError):
    status = 415
    code = "not_audio"
    title = "Not an audio file"
    default_remedy = "Send wav, flac, ogg, opus, mp3, m4a, webm or aiff."


class AudioUnusable(Refused):
    code = "audio_unusable"
    title = "The audio cannot be used"
    default_remedy = "Record or export the clip again and send the new file."


class TrainingDataInvalid(Refused):
    code = "training_data_invalid"
    title = "The recordings cannot be used for training"
    default_remedy = "Arrange the recordings as FOLDER/label/clip, with at least two labels and at least two folds."
