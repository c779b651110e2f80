"""The page /docs: the API document to read and try out, from our own files alone."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
