"""How every service serves HTTP: uvicorn, with limits that it lacks on headers, on time and on connections."""
