"""What the tables of the forecast database share. Only the stores may import them."""

from datetime import datetime
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, DateTime, Double
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import DeclarativeBase, mapped_column

Days = Annotated[list[float], mapped_column(ARRAY(REAL))]
RareDays = Annotated[list[float] | None, mapped_column(ARRAY(REAL), deferred=True)]
"""Read only by whoever names them."""


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        float: Double,
    }
