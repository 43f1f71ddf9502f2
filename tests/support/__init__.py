"""What tests share: real servers, and callers made for the purpose."""
