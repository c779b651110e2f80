"""Answers of geocoders as they really look, shortened; nothing here knows the product."""

from typing import Any

from tests.support.outside import Answer, SmallServer, json_answer

GOOGLE_PATH, NOMINATIM_PATH, PHOTON_PATH = "/maps/api/geocode/json", "/search", "/api"
PATHS = {"google": GOOGLE_PATH, "nominatim": NOMINATIM_PATH, "photon": PHOTON_PATH}

GOOGLE: dict[str, Any] = {
    "results": [
        {
            "address_components": [
                {"long_name": "7", "short_name": "7", "types": ["street_number"]},
                {"long_name": "4th Main Road", "short_name": "4th Main Rd", "types": ["route"]},
                {
                    "long_name": "Domlur",
                    "short_name": "Domlur",
                    "types": ["political", "sublocality", "sublocality_level_1"],
                },
                {
                    "long_name": "Bengaluru",
                    "short_name": "Bengaluru",
                    "types": ["locality", "political"],
                },
                {
                    "long_name": "Karnataka",
                    "short_name": "KA",
                    "types": ["administrative_area_level_1", "political"],
                },
                {"long_name": "India", "short_name": "IN", "types": ["country", "political"]},
                {"long_name": "560071", "short_name": "560071", "types": ["postal_code"]},
            ],
            "formatted_address": "7, 4th Main Rd, Domlur, Bengaluru, Karnataka 560071, India",
            "geometry": {
                "location": {"lat": 12.9667, "lng": 77.6346},
                "location_type": "ROOFTOP",
                "viewport": {
                    "northeast": {"lat": 12.968, "lng": 77.636},
                    "southwest": {"lat": 12.965, "lng": 77.633},
                },
            },
            "place_id": "ChIJ2dGMjMMVrjsRQTKxTHhaf6I",
            "plus_code": {"compound_code": "XJ8M+MR Bengaluru", "global_code": "7J4VXJ8M+MR"},
            "types": ["street_address"],
        }
    ],
    "status": "OK",
}
NOMINATIM: list[dict[str, Any]] = [
    {
        "place_id": 229483721,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": "way",
        "osm_id": 668719563,
        "lat": "12.9667",
        "lon": "77.6346",
        "category": "amenity",
        "type": "events_venue",
        "place_rank": 30,
        "importance": 0.00008,
        "addresstype": "amenity",
        "name": "Bangalore International Centre",
        "display_name": "Bangalore International Centre, 4th Main Road, Domlur, Bengaluru, "
        "Bangalore East, Bengaluru Urban, Karnataka, 560071, India",
        "address": {
            "amenity": "Bangalore International Centre",
            "road": "4th Main Road",
            "suburb": "Domlur",
            "city": "Bengaluru",
            "county": "Bangalore East",
            "state_district": "Bengaluru Urban",
            "state": "Karnataka",
            "ISO3166-2-lvl4": "IN-KA",
            "postcode": "560071",
            "country": "India",
            "country_code": "in",
        },
        "boundingbox": ["12.9664", "12.9670", "77.6343", "77.6349"],
    }
]
PHOTON: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "osm_type": "W",
                "osm_id": 668719563,
                "osm_key": "amenity",
                "osm_value": "events_venue",
                "type": "house",
                "postcode": "560071",
                "housenumber": "7",
                "countrycode": "IN",
                "name": "Bangalore International Centre",
                "country": "India",
                "city": "Bengaluru",
                "district": "Domlur",
                "street": "4th Main Road",
                "state": "Karnataka",
                "county": "Bengaluru Urban",
                "extent": [77.6343, 12.967, 77.6349, 12.9664],
            },
            "geometry": {"type": "Point", "coordinates": [77.6346, 12.9667]},
        }
    ],
}
NOTHING: dict[str, Any] = {
    "google": {"results": [], "status": "ZERO_RESULTS"},
    "nominatim": [],
    "photon": {"type": "FeatureCollection", "features": []},
}
FOUND: dict[str, Any] = {"google": GOOGLE, "nominatim": NOMINATIM, "photon": PHOTON}


def google_refusal(status: str) -> dict[str, Any]:
    """What Google says with that status, in its own words."""
    return {"error_message": "The provided API key is invalid. ", "results": [], "status": status}


def answers(server: SmallServer, kind: str, answer: object = None) -> None:
    """Let the server be a geocoder of that kind: one that finds a hall, or says `answer`."""
    server.answers[PATHS[kind]] = answer if callable(answer) else said(kind, answer)


def said(kind: str, answer: object = None) -> Answer:
    """The answer with that JSON; without one, with a place that was found."""
    return json_answer(FOUND[kind] if answer is None else answer)
