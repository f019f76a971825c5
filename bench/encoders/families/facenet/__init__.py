"""FaceNet: InceptionResnetV1 as facenet-pytorch defines it."""
