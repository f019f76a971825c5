"""The cards of the project's encoders in ONNX files.

A training set is given only where the source of the weights states it.
"""

from __future__ import annotations

from bench.types import ARCFACE_CROP, EncoderCard

CARDS = (
    EncoderCard(
        name="insightface_mobilefacenet_y1",
        architecture="MobileFaceNet",
        training_set="MS1M (refined)",
        crop=ARCFACE_CROP,
        dimensions=128,
        parameters=993_350,
        released="",
        licence="insightface weights: non-commercial research only",
        source="github.com/terryshyan/libovface at 00b5538, model-y1-0000 (insightface's MobileFaceNet)",
        sha256="f3cd4f3e49c1247945eaf70f6d1b246c4217dc686b05b34475622da472798bbc",
    ),
    EncoderCard(
        name="mfn_espdl",
        architecture="MobileFaceNet with concatenated residuals",
        training_set="",
        crop=ARCFACE_CROP,
        dimensions=512,
        parameters=1_190_339,
        released="",
        licence="MIT repository; origin of the weights not stated",
        source="github.com/espressif/esp-dl at 12c0616, human_face_feat_mfn_s8_v1 (int8, dequantised)",
        sha256="2b1a41fea801257e88d065833aee23170b0cea23c9eff718396270ef34ce67fc",
    ),
    EncoderCard(
        name="mobilefacenet_casia_xiaoccer",
        architecture="MobileFaceNet",
        training_set="CASIA-WebFace",
        crop=ARCFACE_CROP,
        dimensions=128,
        parameters=1_019_142,
        released="",
        licence="none stated",
        source="github.com/Xiaoccer/MobileFaceNet_Pytorch at 26bd8d2, model/best/068.ckpt",
        sha256="9061613bf62c881fa02da22a443792dbb6dd5c9e4f695988e6f916d6238176ac",
    ),
    EncoderCard(
        name="mobileface_v2",
        architecture="MobileFace V2 (MobileNetV2-like)",
        training_set="",
        crop=ARCFACE_CROP,
        dimensions=256,
        parameters=892_437,
        released="",
        licence="MIT",
        source="github.com/becauseofAI/MobileFace at 128cea3, MobileFace_Identification_V2",
        sha256="cb0e10f4f4a28fd59250f6abeffdba9897e711de3b9c5a99ac16ad9239d9e628",
    ),
    EncoderCard(
        name="mobileface_v3",
        architecture="MobileFace V3 (plain convolutions, PReLU)",
        training_set="",
        crop=ARCFACE_CROP,
        dimensions=256,
        parameters=546_179,
        released="",
        licence="MIT",
        source="github.com/becauseofAI/MobileFace at 128cea3, MobileFace_Identification_V3",
        sha256="ec56d223fb3b1bea33ea6955ae937d02fbbe418820b3a86295912d690d90ecf0",
    ),
)
