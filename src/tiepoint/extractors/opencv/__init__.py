"""Extractors that run in OpenCV; with formats/opencv.py and geometry/opencv.py the only places for cv2."""
