/* A backend that takes every model and answers every request with nothing: what is refused, the core refuses. */
typedef struct Error Error;
typedef struct Instance Instance;
typedef struct Request Request;
typedef struct Response Response;

Error *TRITONBACKEND_ResponseNew(Response **response, Request *request);
Error *TRITONBACKEND_ResponseSend(Response *response, unsigned flags, Error *error);
Error *TRITONBACKEND_RequestRelease(Request *request, unsigned flags);

Error *TRITONBACKEND_ModelInstanceExecute(Instance *instance, Request **requests, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    Response *response = 0;
    TRITONBACKEND_ResponseNew(&response, requests[i]);
    TRITONBACKEND_ResponseSend(response, 1 /* final */, 0);
    TRITONBACKEND_RequestRelease(requests[i], 1 /* all */);
  }
  return 0;
}
