"""Who is it, what may they do, where do they live: sign-in tokens in, enriched tokens out."""
