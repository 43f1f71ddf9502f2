"""Token enrichment on the wire."""

from typing import Any
from uuid import uuid4

import grpc.aio
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

from services.chassis.tenancy import current_caller
from services.identity import convert, keyring
from services.identity.domain import login_hash
from services.identity.enrich import enrich
from services.identity.mint import mint
from services.identity.region import Region

Context = grpc.aio.ServicerContext[Any, Any]


class IdentityServicer(pb_grpc.IdentityServiceServicer):
    def __init__(self, region: Region) -> None:
        self._region = region

    async def ExchangeToken(
        self, request: pb.ExchangeTokenRequest, context: Context
    ) -> pb.ExchangeTokenResponse:
        region = self._region
        login = await region.authenticator.verify(convert.subject_token_from(request))
        resident = await enrich(
            login_hash(region.login_pepper.get_secret_value(), login.issuer, login.email),
            database=region.database,
            regions=(region.name, *region.siblings),
        )
        token = mint(
            resident,
            jurisdiction=region.jurisdiction,
            key=region.key,
            now=region.clock(),
            token_id=uuid4(),
        )
        home_endpoint = region.topology.regions[resident.home_region].endpoint
        return convert.exchange_response_from(token, resident, home_endpoint)

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.WhoAmIResponse:
        return convert.who_am_i_response_from(current_caller())

    async def ListSigningKeys(
        self, request: pb.ListSigningKeysRequest, context: Context
    ) -> pb.ListSigningKeysResponse:
        region = self._region
        keys = await keyring.published(region.database, region.name, region.jurisdiction.issuer)
        return convert.signing_keys_response_from(keys)
