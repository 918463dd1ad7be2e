"""What the RPC surface is made of: checks of what comes in, batches, and the nudge. No models here."""
