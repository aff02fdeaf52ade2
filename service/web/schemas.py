"""What goes in and what comes out over HTTP; `answering/prediction.py` has the answers."""

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.names import (
    LABEL_PATTERN,
    LONGEST_LABEL,
    LONGEST_REFERENCE,
    VERSION_NUMBER,
    Which,
    is_label,
    split_reference,
)
from service.answering.prediction import Answer, Method, Step


def _to_whole(given: Any) -> Any:
    """Return 3 for 3.0, which JSON knows no difference between."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


TopK = Annotated[
    Annotated[int, Field(ge=1), BeforeValidator(_to_whole)] | None,
    Field(
        description="Give only so many probabilities, the highest; a rare `label` may be missing.",
    ),
]


class ErrorDetail(BaseModel):
    """What was wrong. `field` names the part of the request that is to blame."""

    type: str
    message: str
    field: str | None = None
    retry_after: Annotated[
        int | None, Field(description="Seconds after which there will be time.")
    ] = None


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


REFERENCE_PATTERN = (
    f"^([^:]*|[^:]+:({VERSION_NUMBER.pattern}|{LABEL_PATTERN.strip('^$')}))$"  # see split_reference
)
_NOT_NAMED_TWICE: dict[str, Any] = {
    "not": {
        "required": ["model", "version"],
        "properties": {
            "model": {"type": "string", "pattern": ":"},
            "version": {"type": ["integer", "string"]},
        },
    }
}
"""In OpenAPI: a version is given in one field, though naming it twice is forgiven."""

VersionOrLabel = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=LABEL_PATTERN)]


class Referring(BaseModel):
    """A request that names a model as `name`, with or without `version`, or in one.

    In one it is `name:version` or `name:label`.
    """

    model: Annotated[
        str | None,
        Field(
            max_length=LONGEST_REFERENCE,
            json_schema_extra={
                "anyOf": [
                    {
                        "type": "string",
                        "maxLength": LONGEST_REFERENCE,
                        "pattern": REFERENCE_PATTERN,
                    },
                    {"type": "null"},
                ]
            },
            description="Model to ask, as name, name:version or name:label; the state's, or the "
            "default.",
        ),
    ] = None
    version: Annotated[
        VersionOrLabel | None,
        Field(
            description="Version of the model, or the label of one, such as `canary`; the state's, "
            "or the stable one, or the newest of a model without labels."
        ),
    ] = None

    @field_validator("model")
    @classmethod
    def _check_reference(cls, model: str | None) -> str | None:
        if model is not None:
            split_reference(model)
        return model

    @field_validator("version", mode="before")
    @classmethod
    def _check_label(cls, version: Any) -> Any:
        if isinstance(version, str) and not is_label(version):
            raise ValueError(
                f"{version[:LONGEST_LABEL]!r} is neither a version, a number such as 3, "
                "nor a label, such as stable"
            )
        return _to_whole(version)

    @field_validator("version")
    @classmethod
    def _agree_with_model(cls, version: Which | None, info: ValidationInfo) -> Which | None:
        model = info.data.get("model")
        named = split_reference(model)[1] if model is not None else None
        if None not in (version, named) and version != named:
            raise ValueError(f"{version} is not the version of {model!r}; give one of them")
        return version

    @model_validator(mode="after")
    def _split_reference(self) -> Self:
        if self.model is not None:
            self.model, which = split_reference(self.model)
            self.version = which or self.version
        return self


_EXAMINED: dict[str, Any] = {
    "trajectory": {"const": True},
    "explain": {"enum": [True, "prefix", "occlusion"]},
    "gates": {"const": True},
}
_PREDICT_RULES: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["text"],
            "properties": {"text": {"type": "string"}, "texts": {"type": "null"}},
        },
        {
            "required": ["texts"],
            "properties": {"text": {"type": "null"}, "texts": {"type": "array"}}
            | {name: {"const": False} for name in _EXAMINED},
        },
    ],
    "allOf": [
        _NOT_NAMED_TWICE,
        *(
            {
                "not": {
                    "required": ["stop_at", name],
                    "properties": {"stop_at": {"type": "number"}, name: asked},
                }
            }
            for name, asked in _EXAMINED.items()
        ),
    ],
}
"""What the validators of a request hold, as OpenAPI has it."""


class PredictRequest(Referring):
    """One text or several, and which model to ask."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"text": "An unforgettable film."},
                {"texts": ["I loved every minute.", "Two hours I will never get back."]},
                {"text": "A slow start. Then it soars.", "trajectory": True, "explain": True},
            ],
            **_PREDICT_RULES,
        },
    )

    text: Annotated[str | None, Field(description="A text; give this or `texts`.")] = None
    # Items are checked one by one, so that a bad one fails alone.
    texts: Annotated[
        list[Any] | None,
        Field(
            description="Several texts; answered in their order.",
            json_schema_extra={
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    {"type": "null"},
                ]
            },
        ),
    ] = None
    top_k: TopK = None

    trajectory: Annotated[
        bool, Field(description="Say how the verdict stands after each sentence of `text`.")
    ] = False
    explain: Annotated[
        bool | Method,
        Field(description="Say what each token of `text` contributes; `true` is `prefix`."),
    ] = False

    gates: Annotated[
        bool, Field(description="Say how far the gates open at each token of `text`.")
    ] = False

    stop_at: Annotated[
        float | None,
        Field(
            description="Stop once the label will not change: 0.9, 0.95 or 0.99 certain.",
            json_schema_extra={"anyOf": [{"enum": [0.9, 0.95, 0.99]}, {"type": "null"}]},
        ),
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.text is None) == (self.texts is None):
            raise ValueError('give either "text" or "texts"')
        if self.text is None and self.examined:
            raise ValueError('"trajectory", "explain" and "gates" are for one "text"')
        if self.stop_at is not None and self.examined:
            raise ValueError('"stop_at" goes with none of "trajectory", "explain" and "gates"')
        return self

    @property
    def examined(self) -> bool:
        """Whether more than the prediction is asked for."""
        return bool(self.trajectory or self.explain or self.gates)

    @property
    def method(self) -> Method | None:
        """How contributions are asked for; None where they are not."""
        if isinstance(self.explain, bool):
            return "prefix" if self.explain else None
        return self.explain


class ItemError(ErrorBody):
    """In the place of a prediction: what was wrong with this text alone."""


class BatchResponse(BaseModel):
    """One prediction or error for each text, in the order of the request."""

    predictions: list[Answer | ItemError]


class StreamRequest(Referring):
    """The next piece of a text."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"text": "and then the", "state": None},
                {"text": "and then the end was a surprise.", "final": True},
            ],
            **_NOT_NAMED_TWICE,
        },
    )

    # It may end in the middle of a character, so it is checked with what comes before it.
    text: Annotated[
        Any,
        Field(
            description="What comes next; it may begin and end anywhere, in words too.",
            json_schema_extra={"type": "string"},
        ),
    ]
    state: Annotated[
        str | None, Field(description="The state of the last answer; absent for the first piece.")
    ] = None
    final: Annotated[bool, Field(description="No more is to come, so no state is given.")] = False
    top_k: TopK = None
    explain: Annotated[
        bool, Field(description="Say how the verdict stands after each token of the piece.")
    ] = False
    gates: Annotated[
        bool, Field(description="With `explain`, say how far the gates open at each token too.")
    ] = False


class StreamResponse(BaseModel):
    """What is known after a piece."""

    prediction: Annotated[
        Answer,
        Field(description="Of the text so far, as if it ended here."),
    ]
    tokens: Annotated[int, Field(description="Tokens of the text so far.")]
    steps: Annotated[
        list[Step] | None,
        Field(description="After each token of the piece and of what was held, where asked for."),
    ] = None
    state: Annotated[
        str | None,
        Field(description="To be sent with the next piece, to any replica; absent at the end."),
    ] = None


class StreamMessage(Referring):
    """A message on the WebSocket: the next piece of the text, whose state the server keeps."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Any = ""
    restart: Annotated[bool, Field(description="A new text begins with this piece.")] = False
    with_state: Annotated[bool, Field(description="Answer with the state as a token too.")] = False
    state: Annotated[str | None, Field(description="Go on from this token.")] = None
    top_k: TopK = None
    explain: bool = False
    gates: bool = False

    @model_validator(mode="after")
    def _begin_once(self) -> Self:
        if self.restart and self.state is not None:
            raise ValueError('"restart" begins a new text and "state" goes on with one: give one')
        return self


class VersionInfo(BaseModel):
    """One version and whether it can be asked."""

    version: int
    state: Annotated[str, Field(description='"ready" or "failed".')]
    reason: Annotated[str | None, Field(description="Why it failed.")] = None
    engine: str | None = None
    task: str | None = None
    labels: list[str] | None = None
    thresholds: Annotated[
        dict[str, float] | None,
        Field(
            description="Of several labels each that reaches its threshold is given; of labels "
            "that exclude each other the one with the largest multiple of it."
        ),
    ] = None
    cell: str | None = None
    parameters: int | None = None
    streamable: bool | None = None
    gates: Annotated[list[str] | None, Field(description="Gates that can be asked for.")] = None
    normalization: Annotated[
        int | None, Field(description="How words are normalised; see docs/model-format.md.")
    ] = None
    created: str | None = None
    metrics: dict[str, dict[str, float]] | None = None
    data: JsonValue = None


class RolloutInfo(BaseModel):
    """A version that is tried beside the stable one, or was."""

    label: str
    version: int
    stable: Annotated[int, Field(description="The version that it is compared with.")]
    share: Annotated[
        float | None, Field(description="Of the requests that name no version, which it answers.")
    ] = None
    shadow: Annotated[
        float | None, Field(description="Of these requests, of which it reads a copy.")
    ] = None
    verdict: Annotated[
        str,
        Field(
            description="What was done: `rolled_back`, `promoted`; or what the figures say so "
            "far: `roll_back`, `promote`, `wait`."
        ),
    ]
    why: str
    at: Annotated[str | None, Field(description="When it was done.")] = None
    figures: Annotated[
        dict[str, float], Field(description="What the verdict rests on; see docs/deploying.md.")
    ]


class ModelInfo(BaseModel):
    """One model with its versions, newest first."""

    name: str
    default: Annotated[bool, Field(description="Answers when a request names no model.")]
    version_labels: Annotated[
        dict[str, int] | None,
        Field(description="Version with each label; `stable` answers when a request names none."),
    ] = None
    rollouts: Annotated[
        list[RolloutInfo] | None, Field(description="Versions on trial, then earlier verdicts.")
    ] = None
    versions: list[VersionInfo]


class ModelList(BaseModel):
    """What can be asked."""

    models: list[ModelInfo]
    awaited: Annotated[
        str | None,
        Field(description="What is missing before requests without a model are answered."),
    ] = None


class GiveLabelRequest(BaseModel):
    """A label for a version."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Annotated[
        int, Field(ge=1, description="Version that gets the label."), BeforeValidator(_to_whole)
    ]
    share: Annotated[
        float | None,
        Field(
            ge=0,
            lt=1,
            description="Share of what names no label; as it was if absent, 0 for none.",
        ),
    ] = None
    shadow: Annotated[
        float | None,
        Field(ge=0, le=1, description="In place of a share: part of it of which it reads a copy."),
    ] = None


class PruneRequest(BaseModel):
    """Which versions are deleted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    keep: Annotated[
        int,
        Field(ge=1, description="Newest versions that stay."),
        BeforeValidator(_to_whole),
    ]


class ModelLabels(BaseModel):
    """The labels of a model."""

    model: str
    labels: Annotated[dict[str, int], Field(description="Version with each label.")]
    shares: Annotated[
        dict[str, float], Field(description="Share of the requests that name no label.")
    ]
    shadows: Annotated[
        dict[str, float], Field(description="Part of these requests of which it reads a copy.")
    ]


class Health(BaseModel):
    """State of the service."""

    status: str
    reason: Annotated[str | None, Field(description="What is awaited, where not ready.")] = None
