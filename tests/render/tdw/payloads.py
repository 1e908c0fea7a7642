"""Payloads of a TDW build, made with the FlatBuffers builders that the tdw package ships."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="the imp module is deprecated", category=DeprecationWarning)
    from tdw.FBOutput import Bounds, Color, DirectionalLight, ImagePass, Images, Lights, LogMessage, QuitSignal
    from tdw.FBOutput import Quaternion as FBQuaternion
    from tdw.flatbuffers import number_types
    from tdw.flatbuffers.builder import Builder

Payload = bytes


def finished(builder: Builder, root: int, name: bytes) -> Payload:
    """The buffer with its four-letter id at bytes 4 to 8."""
    builder.Prep(builder.minalign, number_types.UOffsetTFlags.bytewidth + len(name))
    for letter in reversed(name):
        builder.PrependByte(letter)
    builder.PrependUOffsetTRelative(root)
    builder.finished = True
    return bytes(builder.Output())


def image_payload(size: int, jpeg: bytes, extension: int) -> Payload:
    b = Builder(len(jpeg) + 512)
    picture = b.CreateByteVector(jpeg)
    ImagePass.ImagePassStart(b)
    ImagePass.ImagePassAddPassMask(b, 1)
    ImagePass.ImagePassAddImage(b, picture)
    ImagePass.ImagePassAddExtension(b, extension)
    made = ImagePass.ImagePassEnd(b)
    Images.ImagesStartPassesVector(b, 1)
    b.PrependUOffsetTRelative(made)
    passes = b.EndVector(1)
    avatar, sensor = b.CreateString("a"), b.CreateString("SensorContainer")
    Images.ImagesStart(b)
    Images.ImagesAddAvatarId(b, avatar)
    Images.ImagesAddSensorName(b, sensor)
    Images.ImagesAddWidth(b, size)
    Images.ImagesAddHeight(b, size)
    Images.ImagesAddPasses(b, passes)
    return finished(b, Images.ImagesEnd(b), b"imag")


def bounds_payload(number: int, centre: np.ndarray[Any, Any], half: np.ndarray[Any, Any]) -> Payload:
    """Front, back, right, left, top, bottom, centre: the order of tdw.output_data.Bounds."""
    x, y, z = np.diag(half)
    points = [centre + z, centre - z, centre + x, centre - x, centre + y, centre - y, centre]
    b = Builder(512)
    Bounds.BoundsStartBoundPositionsVector(b, 21)
    for value in reversed(np.concatenate(points).tolist()):
        b.PrependFloat32(value)
    positions = b.EndVector(21)
    Bounds.BoundsStartIdsVector(b, 1)
    b.PrependInt32(number)
    ids = b.EndVector(1)
    Bounds.BoundsStart(b)
    Bounds.BoundsAddIds(b, ids)
    Bounds.BoundsAddBoundPositions(b, positions)
    return finished(b, Bounds.BoundsEnd(b), b"boun")


def lights_payload(intensity: float, colour: tuple[float, float, float]) -> Payload:
    b = Builder(256)
    DirectionalLight.DirectionalLightStart(b)
    DirectionalLight.DirectionalLightAddIntensity(b, intensity)
    red, green, blue = (round(255 * value) for value in colour)
    DirectionalLight.DirectionalLightAddColor(b, Color.CreateColor(b, red, green, blue))
    DirectionalLight.DirectionalLightAddRotation(b, FBQuaternion.CreateQuaternion(b, 0.0, 0.0, 0.0, 1.0))
    light = DirectionalLight.DirectionalLightEnd(b)
    Lights.LightsStartDirectionalLightsVector(b, 1)
    b.PrependUOffsetTRelative(light)
    lights = b.EndVector(1)
    Lights.LightsStart(b)
    Lights.LightsAddDirectionalLights(b, lights)
    return finished(b, Lights.LightsEnd(b), b"ligh")


def log_payload(text: str) -> Payload:
    b = Builder(256)
    message, kind = b.CreateString(text), b.CreateString("stub")
    LogMessage.LogMessageStart(b)
    LogMessage.LogMessageAddMessageType(b, 4)
    LogMessage.LogMessageAddObjectType(b, kind)
    LogMessage.LogMessageAddMessage(b, message)
    return finished(b, LogMessage.LogMessageEnd(b), b"logm")


def quit_payload(ok: bool) -> Payload:
    b = Builder(64)
    QuitSignal.QuitSignalStart(b)
    QuitSignal.QuitSignalAddOk(b, ok)
    return finished(b, QuitSignal.QuitSignalEnd(b), b"quit")


def version_payload(version: str) -> Payload:
    return b"\0\0\0\0vers\x01" + bytes([len(version)]) + version.encode() + b"2020.3.24f1"
