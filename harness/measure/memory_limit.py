def most_processes(workers, block_size):
    return 64
