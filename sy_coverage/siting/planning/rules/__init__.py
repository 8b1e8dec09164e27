"""Write down once what a policy asks: who counts, which sites are barred, how many beds."""
